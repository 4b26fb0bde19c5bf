import Foundation
import Statistics

/// Chooses tokens from logits, with a random stream of its own.
public struct Sampler: Sendable {
  public let parameters: SamplingParameters
  private var random: SeededGenerator

  public init(_ parameters: SamplingParameters) {
    self.parameters = parameters
    random = SeededGenerator(seed: parameters.seed)
  }

  /// - Parameter logits: (vocabulary), not empty.
  public mutating func next(_ logits: UnsafeBufferPointer<Float>) -> Int {
    guard parameters.temperature > 0 else { return argmax(logits) }
    var candidates = kept(logits)
    // Without a largest logit that is finite there are no probabilities.
    guard let first = candidates.first, first.logit.isFinite else { return argmax(logits) }
    // In double, so that the sum of fifty thousand probabilities has no say in the choice.
    let largest = Double(first.logit)
    var total = 0.0
    var weights = candidates.map { candidate in
      let weight = exp((Double(candidate.logit) - largest) / Double(parameters.temperature))
      total += weight
      return weight
    }
    if parameters.topP < 1 {
      var reached = 0.0
      let enough = Double(parameters.topP) * total
      let count =
        (weights.firstIndex { weight in
          reached += weight
          return reached >= enough
        } ?? weights.count - 1) + 1
      candidates.removeSubrange(count...)
      weights.removeSubrange(count...)
      total = weights.reduce(0, +)
    }
    var left = random.unit() * total
    for (candidate, weight) in zip(candidates, weights) {
      left -= weight
      if left < 0 { return candidate.id }
    }
    return candidates[candidates.count - 1].id
  }

  private struct Candidate {
    var id: Int
    var logit: Float
  }

  /// What top-k leaves, most likely first, lower ids first among equals. A NaN is never among them.
  private func kept(_ logits: UnsafeBufferPointer<Float>) -> [Candidate] {
    var candidates: [Candidate] = []
    candidates.reserveCapacity(logits.count)
    for (id, logit) in logits.enumerated() where !logit.isNaN {
      candidates.append(Candidate(id: id, logit: logit))
    }
    if let k = parameters.topK, k < candidates.count {
      let threshold = Self.kthLargest(candidates, k)
      candidates.removeAll { $0.logit < threshold }
    }
    candidates.sort { $0.logit == $1.logit ? $0.id < $1.id : $0.logit > $1.logit }
    if let k = parameters.topK, k < candidates.count { candidates.removeSubrange(k...) }
    return candidates
  }

  /// The k-th largest value, from a heap of the k largest so far whose smallest stands in front.
  private static func kthLargest(_ candidates: [Candidate], _ k: Int) -> Float {
    var heap = candidates.prefix(k).map(\.logit).sorted()
    for candidate in candidates.dropFirst(k) where candidate.logit > heap[0] {
      heap[0] = candidate.logit
      var parent = 0
      while true {
        var smallest = parent
        for child in [2 * parent + 1, 2 * parent + 2]
        where child < k && heap[child] < heap[smallest] { smallest = child }
        if smallest == parent { break }
        heap.swapAt(parent, smallest)
        parent = smallest
      }
    }
    return heap[0]
  }
}

/// The index of the largest value, the lowest among equals. A NaN never wins; 0 where there is nothing else.
public func argmax(_ values: UnsafeBufferPointer<Float>) -> Int {
  var best = values.firstIndex { !$0.isNaN } ?? 0
  var largest = -Float.infinity
  for (index, value) in values.enumerated() where value > largest {
    largest = value
    best = index
  }
  return best
}
