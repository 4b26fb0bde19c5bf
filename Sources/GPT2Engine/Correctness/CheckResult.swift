import Foundation

/// What any check of correctness has found, as a record keeps it.
public struct CheckResult: Equatable, Sendable {
  /// Why it failed, in a line; nil where it passed.
  public private(set) var failure: String?
  /// Nil where a value was not finite or none was compared.
  public private(set) var maxAbsoluteError: Double?
  /// What was allowed where the error was worst; 0 where tokens are compared.
  public private(set) var tolerance = 0.0
  /// Σ(x − r)² / Σr²; nil likewise.
  public private(set) var nmse: Double?
  /// Tokens that are as expected, of all compared.
  public private(set) var agreed = 0
  public private(set) var compared = 0

  public var passed: Bool { failure == nil }

  static let nothingCompared = "nothing was compared"
}

extension CheckResult {
  /// Of tokens that all have to be the same.
  init(agreed: Int, of compared: Int, passed: Bool) {
    self.init(
      failure: passed ? nil : "\(agreed) of \(compared) tokens are the same, expected all", agreed: agreed,
      compared: compared)
  }

  /// Of sequences of tokens that have to be the same.
  public init(tokens found: [[Int]], expected: [[Int]]) {
    self.init(
      agreed: zip(found, expected).flatMap { zip($0, $1) }.count { $0 == $1 },
      of: expected.reduce(0) { $0 + $1.count }, passed: found == expected)
  }
}

/// How a greedy continuation differs from the expected one, in a line; nil where it does not.
///
/// - Parameters:
///   - found: up to and with the first token that is not as expected, fewer where the context ends.
///   - prompt: its name, which opens the line.
func greedyDifference(_ found: [Int], expected: [Int], prompt: String) -> String? {
  let agreed = zip(found, expected).prefix { $0 == $1 }.count
  if agreed < min(found.count, expected.count) {
    return "\(prompt): greedy token \(agreed) is \(found[agreed]), expected \(expected[agreed])"
  }
  guard agreed < expected.count else { return nil }
  return "\(prompt): the context ends after \(agreed) of \(expected.count) greedy tokens"
}

/// Two significant digits, for messages.
func brief(_ value: Double) -> String { String(format: "%.1e", value) }
