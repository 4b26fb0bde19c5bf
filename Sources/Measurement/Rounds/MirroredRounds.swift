import Statistics

/// The order in which several sides of one comparison (two builds, and one of them a second time) are executed on
/// several units of work.
///
/// In each round of a unit every side is executed once in an order drawn afresh, and then once more in the reverse
/// of that order (A B C, C B A). What drifts linearly while the round lasts then weighs on all sides alike, and none
/// always follows the same other. Rounds of different units are mixed at random.
public struct MirroredRounds: Sendable, Equatable {
  /// One execution.
  public struct Turn: Sendable, Hashable {
    public let unit: Int
    /// Of its unit, from 0.
    public let round: Int
    public let side: Int
  }

  /// Rounds of each unit; 0 leaves a unit out.
  public var rounds: [Int]
  public var sides: Int

  public init(rounds: [Int], sides: Int) {
    self.rounds = rounds.map { max(0, $0) }
    self.sides = max(1, sides)
  }

  public func order(using generator: inout SeededGenerator) -> [Turn] {
    var pairs = rounds.enumerated().flatMap { unit, count in (0..<count).map { (unit: unit, round: $0) } }
    generator.shuffle(&pairs)
    return pairs.flatMap { pair in
      var order = Array(0..<sides)
      generator.shuffle(&order)
      return (order + order.reversed()).map { Turn(unit: pair.unit, round: pair.round, side: $0) }
    }
  }

  /// How many rounds of a unit fit into `seconds`, at least 1 and at most `limit`, where one execution takes
  /// `executionSeconds`.
  public static func rounds(within seconds: Double, executionSeconds: Double, sides: Int, limit: Int) -> Int {
    guard executionSeconds > 0 else { return limit }
    let count = (seconds / (2 * Double(sides) * executionSeconds)).rounded(.down)
    return Int(min(max(count, 1), Double(limit)))
  }
}
