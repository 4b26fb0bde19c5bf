import TestSupport

@testable import Record
@testable import Reporting

/// Times of `Fixture.comparable`, as multiples of those of a run to compare with.
struct Slowdown {
  var naive = 1.0
  var kvCacheDecode = 1.0
  var kvCachePrefill = 1.0
  var load = 1.0
  /// Of the ceilings; a machine that is slower has lower ones.
  var machine = 1.0
}

extension Fixture {
  /// `naive` and `kv-cache` on one prompt's and one decode test, with loads and ceilings. Samples of a cell lie up to
  /// 1 % apart. Two of them with another `run` share no sample, whatever their slowdown.
  static func comparable(_ slowdown: Slowdown = Slowdown(), samples: Int = 10, run: Int = 0) -> Record {
    func times(_ center: Double, _ count: Int) -> [Double] {
      (0..<count).map { index -> Double in
        let spread: Double = 0.01 * Double(index) / Double(count)
        return center * (1 + spread + 0.0001 * Double(run))
      }
    }
    var record = record(cells: [
      prefillCell("naive", milliseconds: times(40 * slowdown.naive, samples)),
      decodeCell("naive", stepMilliseconds: times(20 * slowdown.naive, samples)),
      prefillCell("kv-cache", milliseconds: times(10 * slowdown.kvCachePrefill, samples)),
      decodeCell("kv-cache", stepMilliseconds: times(2 * slowdown.kvCacheDecode, samples)),
    ])
    record.correctness = ["naive", "kv-cache"].map { passedCheck($0) }
    for index in [0, 2] { record.cells[index].samples = record.cells[index].samples.map(scaledFirstToken) }
    let loads = times(slowdown.load, 5).enumerated().map { round, time in
      LoadSample(
        round: round, loadNanoseconds: Int(time * 2e6), firstTokenNanoseconds: Int(time * 2e6) + 5_000_000)
    }
    for index in record.cells.indices {
      record.cells[index].load = LoadTimes(
        coldNanoseconds: nil, warmNanoseconds: loads[2].loadNanoseconds, samples: loads)
    }
    record.ceilings = [ceiling(fmaGFLOPS: 100 / slowdown.machine, dramGBPerSecond: 10 / slowdown.machine)]
    return record
  }

  /// With the first token a tenth of the forward pass after it, so that both scale alike.
  private static func scaledFirstToken(_ sample: Sample) -> Sample {
    var sample = sample
    let time = Double(sample.prefillNanoseconds ?? 0) * 1.1
    sample.tokenNanoseconds = [Int(time)]
    sample.elapsedNanoseconds = time
    return sample
  }

  /// Of one thread; the trials lie up to 2 % below the best.
  static func ceiling(fmaGFLOPS: Double, dramGBPerSecond: Double) -> Ceiling {
    let shares = (0..<5).map { 1 - 0.005 * Double($0) }
    return Ceiling(
      threads: 1, fmaGFLOPS: fmaGFLOPS, dramGBPerSecond: dramGBPerSecond,
      fmaTrials: shares.map { $0 * fmaGFLOPS },
      memory: [
        MemoryRoof(
          level: Ceiling.dram, capacityBytes: nil, workingSetBytes: 1 << 28, streams: 4, prefetchBytes: 0,
          trials: shares.map { $0 * dramGBPerSecond }, remark: nil)
      ])
  }
}

extension Comparison {
  func row(_ metric: Metric, _ variant: String = "kv-cache") -> ComparisonRow? {
    rows.first { $0.metric == metric && $0.contestant.variant == variant }
  }

  /// Labels of the rows with this verdict.
  func labels(_ verdict: Verdict) -> [String] {
    rows.filter { $0.verdict == verdict }.map(\.label)
  }
}
