import CSystem

/// The loops that ceilings are measured with.
enum PeakKernels {
  /// Chains of multiply-adds that do not wait for each other: at least latency × units of any core (4 × 2 on
  /// x86-64, 4 × 4 on Apple's), and few enough for 16 registers of 32 bytes.
  #if arch(arm64)
    static let chains = 16
  #else
    static let chains = 12
  #endif

  /// Floating-point operations of one pass of `multiplyAdd`: each lane of each chain multiplies and adds.
  static var operationsPerPass: Int { 2 * chains * Int(csystem_vector_bytes()) / 4 }

  /// `passes` multiply-adds on every chain, fused where this build's CPU can, in vectors as wide as this build may
  /// use. Nothing is loaded or stored inside the loop.
  @inline(never)
  static func multiplyAdd(passes: Int) {
    switch csystem_vector_bytes() {
    case 64: multiplyAdd(passes, SIMD16<Float>.self)
    case 32: multiplyAdd(passes, SIMD8<Float>.self)
    default: multiplyAdd(passes, SIMD4<Float>.self)
    }
  }

  @inline(__always) private static func multiplyAdd<Vector: SIMD>(_ passes: Int, _ type: Vector.Type)
  where Vector.Scalar == Float {
    // x·y is small enough that no sum leaves the range of ordinary numbers.
    let x = Vector(repeating: Float(launder(3)) * 0x1p-20)
    let y = Vector(repeating: Float(launder(5)) * 0x1p-20)
    #if arch(arm64)
      var sums = InlineArray<16, Vector>(repeating: x)
    #else
      var sums = InlineArray<12, Vector>(repeating: x)
    #endif
    for _ in 0..<launder(passes) {
      for chain in sums.indices {
        if csystem_fuses_multiply_add() != 0 { sums[chain].addProduct(x, y) } else { sums[chain] += x * y }
      }
    }
    blackHole(sums)
  }

  /// Bytes that a stream goes ahead in one step: eight vectors of 64 bytes, each into a sum of its own.
  static let step = 512

  /// Reads every byte once, and uses it. `bytes` is a multiple of `step` · streams. Beside each load there is one
  /// exclusive or, which takes it straight from memory where vectors have 64 bytes: loads are what limits the loop.
  /// - Returns: the exclusive or of all words of four bytes.
  @inline(never)
  static func read(_ start: UnsafeRawPointer, bytes: Int, _ pattern: ReadPattern) -> UInt32 {
    let ahead = pattern.prefetchBytes
    if ahead == 0 {
      return read(start, bytes, streams: pattern.streams) { _ in }
    } else {
      return read(start, bytes, streams: pattern.streams) { csystem_prefetch($0 + ahead) }
    }
  }

  @inline(__always)
  private static func read(
    _ start: UnsafeRawPointer, _ bytes: Int, streams: Int, askAhead: (UnsafeRawPointer) -> Void
  ) -> UInt32 {
    typealias Vector = SIMD16<UInt32>
    var sums = InlineArray<8, Vector>(repeating: .zero)
    let stream = bytes / streams
    var offset = 0
    while offset < stream {
      var place = start + offset
      for _ in 0..<streams {
        for part in sums.indices {
          askAhead(place + 64 * part)
          sums[part] ^= place.loadUnaligned(fromByteOffset: 64 * part, as: Vector.self)
        }
        place += stream
      }
      offset += step
    }
    var sum = Vector.zero
    for part in sums.indices { sum ^= sums[part] }
    return sum.indices.reduce(0) { $0 ^ sum[$1] }
  }
}

extension PeakKernels {
  /// GFLOP/s of multiply-adds in each trial of about that length, of all threads together.
  static func multiplyAddRates(threads: Int, trials: Int, length: Duration) -> [Double] {
    rates(threads: threads, trials: trials, length: length, operationsPerPass) { multiplyAdd(passes: $0) }
  }

  /// 10⁹ operations per second in each trial of about that length, of all threads together.
  static func rates(
    threads: Int, trials: Int, length: Duration, _ operationsPerPass: Int,
    _ run: @escaping @Sendable (_ passes: Int) -> Void
  ) -> [Double] {
    // The number of passes comes from one thread, and with it the clock rate has risen.
    let passes = Calibration(minimumSample: length).calibrate(run).iterations
    let times = ThreadTrials.run(threads: threads, trials: trials) { _, _ in run(passes) }
    let work = Double(operationsPerPass) * Double(passes * threads)
    return times.map { work / Double($0) }
  }
}
