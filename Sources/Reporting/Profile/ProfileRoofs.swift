import Record

/// The least time for parts of a pass, by the ceilings of the run that it was profiled in.
///
/// max(FLOPs / P_peak, streamed / BW_s + activations / BW_a), after Williams, Waterman and Patterson 2009
/// (doi:10.1145/1498765.1498785). What a pass streams, weights and cached keys and values, comes from the nearest memory
/// that holds all of it; activations come from the nearest that holds one call's. A softmax works where a head
/// has room for the scores of one query at a time: it is held against the nearest memory that holds those.
struct ProfileRoofs: Sendable {
  private let ceiling: Ceiling
  private let stream: (level: String, gbPerSecond: Double)
  private let queries: Int

  /// - Parameter queries: of a pass.
  init(_ ceiling: Ceiling, streamedBytesOfPass: Double, queries: Int) {
    self.ceiling = ceiling
    self.queries = max(queries, 1)
    stream = ceiling.memoryRoof(holding: streamedBytesOfPass)
  }

  /// Nil where there is nothing to compute and nothing to move.
  func bound(_ entries: [Profile.Entry]) -> (nanoseconds: Double, roof: Roof)? {
    let flops = entries.reduce(0) { $0 + $1.flops }
    let streamed = entries.reduce(0) { $0 + $1.streamedBytes }
    let activations = entries.reduce(0) { $0 + $1.activationBytes }
    let calls = entries.reduce(0) { $0 + $1.calls * ($1.phase == .attentionSoftmax ? queries : 1) }
    guard flops + streamed + activations > 0, ceiling.computeRoof > 0 else { return nil }
    let near = ceiling.memoryRoof(holding: activations / Double(max(calls, 1)))
    let compute = flops / ceiling.computeRoof
    let moving = streamed / stream.gbPerSecond + activations / near.gbPerSecond
    let level = streamed >= activations ? stream.level : near.level
    return compute >= moving ? (compute, .compute) : (moving, .memory(level: level))
  }
}
