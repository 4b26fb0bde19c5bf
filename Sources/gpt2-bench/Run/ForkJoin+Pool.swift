import GPT2Kernels
import Measurement
import Reporting

extension ForkJoin {
  /// Measures a pool of that many threads; nil for one, which forks nothing.
  static func ofPool(threads: Int) -> ForkJoin? {
    let pool = ThreadPool(threads: threads)
    return ForkJoinCost.measure(threads: pool.threads, fork: pool.forEach).map {
      ForkJoin(
        threads: $0.threads, hotMicroseconds: $0.hotMicroseconds, wokenMicroseconds: $0.wokenMicroseconds)
    }
  }
}
