import Foundation
import GPT2Engine
import GPT2Model

/// An answer as it comes: its tokens, and the text to show of them.
struct ChatAnswer {
  private(set) var tokens: [Int] = []
  private var stream: TextStream?
  /// All the text, with what is not shown of its beginning.
  private var text = ""
  private var trimsStart: Bool

  /// - Parameters:
  ///   - tokenizer: nil to show ids.
  ///   - trimsStart: whether blanks before the first word are not shown.
  init(_ tokenizer: Tokenizer?, _ stops: StopSequences, trimsStart: Bool) {
    stream = tokenizer.map { TextStream($0, stops: stops) }
    self.trimsStart = trimsStart
  }

  var stop: String? { stream?.stop }

  mutating func add(_ token: Int) throws -> String {
    let piece = try stream?.push(token)
    tokens.append(token)
    return piece.map { shown($0) } ?? (tokens.count == 1 ? "\(token)" : " \(token)")
  }

  /// - Returns: what was held back and is to be shown now.
  mutating func finish() -> String { shown(stream?.finish() ?? "") }

  private mutating func shown(_ piece: String) -> String {
    text += piece
    guard trimsStart else { return piece }
    let rest = piece.drop(while: \.isWhitespace)
    if !rest.isEmpty { trimsStart = false }
    return String(rest)
  }

  /// How many of the first tokens lie wholly in the text, which ended before a stop sequence, and the text after them.
  func keptTokens(_ tokenizer: Tokenizer) throws -> (count: Int, rest: String) {
    let bytes = Array(text.utf8)
    var (count, end) = (0, 0)
    for token in tokens {
      let next = end + (try tokenizer.bytes(of: token)).count
      // Also never half of a character: text that was no UTF-8 is shown with other bytes than its own.
      guard next <= bytes.count, try tokenizer.bytes(of: token).elementsEqual(bytes[end..<next]) else {
        break
      }
      (count, end) = (count + 1, next)
    }
    return (count, String(decoding: bytes[end...], as: UTF8.self))
  }
}

/// When the first and the last of some new tokens were there.
public struct TokenTimes {
  public private(set) var count = 0
  private let start: ContinuousClock.Instant
  private var first: ContinuousClock.Instant?
  private var last: ContinuousClock.Instant?

  public init(start: ContinuousClock.Instant = .now) { self.start = start }

  public mutating func add(at now: ContinuousClock.Instant = .now) {
    count += 1
    first = first ?? now
    last = now
  }

  /// From the start; nil without a token.
  public var millisecondsToFirst: Double? { first.map { ($0 - start) / .milliseconds(1) } }

  /// Of the tokens after the first; nil where there is none.
  public var tokensPerSecond: Double? {
    guard let first, let last, count > 1, last > first else { return nil }
    return Double(count - 1) / ((last - first) / .seconds(1))
  }
}

/// What a turn did, and how fast.
struct TurnFigures {
  let promptCount: Int
  var times: TokenTimes
  /// Tokens that slid out of the context while it went on.
  var dropped = 0
  /// Why the answer ended before its time; nil where it had as many tokens as it might have.
  var ending: String?

  func line(used: Int, of context: Int) -> String {
    var parts = ["\(promptCount) + \(times.count) tokens"]
    if let rate = times.tokensPerSecond { parts.append(String(format: "%.1f tok/s", rate)) }
    if let time = times.millisecondsToFirst { parts.append(String(format: "TTFT %.1f ms", time)) }
    parts.append("context \(used) of \(context)")
    if dropped > 0 { parts.append("\(dropped) oldest dropped") }
    if let ending { parts.append(ending) }
    return parts.joined(separator: ", ")
  }
}
