import Foundation

/// What a turn did, and how fast.
struct TurnFigures {
  /// Tokens that the turn added to the text.
  let promptCount: Int
  private(set) var answerCount = 0
  /// Tokens that slid out of the context while it went on.
  var dropped = 0
  /// Why the answer ended before its time; nil where it had as many tokens as it might have.
  var ending: String?
  private let start: ContinuousClock.Instant
  private var first: ContinuousClock.Instant?
  private var last: ContinuousClock.Instant?

  init(promptCount: Int, start: ContinuousClock.Instant = .now) {
    self.promptCount = promptCount
    self.start = start
  }

  mutating func addToken(at now: ContinuousClock.Instant = .now) {
    answerCount += 1
    if first == nil { first = now }
    last = now
  }

  var millisecondsToFirstToken: Double? { first.map { ($0 - start) / .milliseconds(1) } }

  /// Of the tokens behind the first.
  var tokensPerSecond: Double? {
    guard let first, let last, answerCount > 1, last > first else { return nil }
    return Double(answerCount - 1) / ((last - first) / .seconds(1))
  }

  /// - Parameters:
  ///   - used: tokens in the context.
  ///   - context: tokens that it holds.
  func line(used: Int, of context: Int) -> String {
    var parts = ["\(promptCount) + \(answerCount) tokens"]
    if let rate = tokensPerSecond { parts.append(String(format: "%.1f tok/s", rate)) }
    if let time = millisecondsToFirstToken { parts.append(String(format: "TTFT %.1f ms", time)) }
    parts.append("context \(used) of \(context)")
    if dropped > 0 { parts.append("\(dropped) oldest dropped") }
    if let ending { parts.append(ending) }
    return parts.joined(separator: ", ")
  }
}
