import Foundation

/// Why a timeline cannot be drawn, in one line: where, what was found there and what was expected.
public struct TimelineError: Error, Equatable, CustomStringConvertible, LocalizedError {
  public let place: String
  public let found: String
  public let expected: String

  public var description: String { "timeline, \(place): found \(found), expected \(expected)" }

  public var errorDescription: String? { description }
}
