import Statistics

/// One execution of a fixed order, in which several sides of one comparison (two builds, and one of them a second
/// time) are executed on several units of work.
public struct SideTurn: Sendable, Hashable {
  public let unit: Int
  /// Of its unit, from 0.
  public let round: Int
  public let side: Int

  /// In each round of a unit every side is executed once in an order drawn afresh, and then once more in the reverse
  /// of that order (A B C, C B A): what drifts linearly weighs on all alike, and none always follows the same other.
  /// Rounds of different units are mixed at random.
  /// - Parameter rounds: of each unit; 0 leaves a unit out.
  public static func mirrored(rounds: [Int], sides: Int, using random: inout SeededGenerator) -> [SideTurn] {
    var pairs = rounds.enumerated().flatMap { unit, count in
      (0..<max(0, count)).map { (unit: unit, round: $0) }
    }
    random.shuffle(&pairs)
    return pairs.flatMap { pair in
      var order = Array(0..<max(1, sides))
      random.shuffle(&order)
      return (order + order.reversed()).map { SideTurn(unit: pair.unit, round: pair.round, side: $0) }
    }
  }

  /// How many mirrored rounds of a unit fit into `seconds`, at least 1, at most `limit`; one run takes
  /// `executionSeconds`.
  public static func mirroredRounds(
    within seconds: Double, executionSeconds: Double, sides: Int, limit: Int
  ) -> Int {
    guard executionSeconds > 0 else { return limit }
    let count = (seconds / (2 * Double(sides) * executionSeconds)).rounded(.down)
    return Int(min(max(count, 1), Double(limit)))
  }

  /// Each round of the one unit, 0, the other way round than the one before (A B, B A): drift meets all sides alike.
  public static func alternating(rounds: Int, sides: Int) -> [SideTurn] {
    (0..<rounds).flatMap { round in
      let turns = (0..<sides).map { SideTurn(unit: 0, round: round, side: $0) }
      return round.isMultiple(of: 2) ? turns : turns.reversed()
    }
  }
}

/// Repeats blocks of measurements until what they show is clear, or the time is spent. Whether it is clear is only
/// asked at the looks that a plan has fixed beforehand, and once more when the time is spent; that is what keeps the
/// error of an early stop within bounds.
public struct SequentialBlocks: Sendable {
  public enum Ending: Sendable, Equatable {
    case clear
    /// Another block was expected to exceed the budget.
    case budget
    /// All blocks that were allowed have run.
    case count
    case cancelled
  }

  /// Wall time from `start`, of which a part may be spent already.
  public var budget: Duration
  /// No more blocks than this; nil for as many as the budget allows.
  public var limit: Int?

  private let start: UInt64
  private let clock: any MonotonicClock

  /// - Parameter start: the moment that the budget counts from, by `clock`.
  public init(budget: Duration, limit: Int? = nil, start: UInt64, clock: any MonotonicClock = SystemClock()) {
    (self.budget, self.limit, self.start, self.clock) = (budget, limit, start, clock)
  }

  /// - Parameters:
  ///   - isCancelled: asked before and after each block.
  ///   - isLook: whether the plan looks at so many blocks.
  ///   - isClear: whether what has been measured is enough; asked at looks alone.
  ///   - perform: one block, counted from 0. The first is always run; a later one where the longest so far would end
  ///     within the budget. False ends the run: nothing is left to measure.
  public func run(
    isCancelled: () -> Bool = { false }, isLook: (_ count: Int) -> Bool, isClear: (_ count: Int) -> Bool,
    perform: (_ block: Int) throws -> Bool
  ) rethrows -> Ending {
    var longest: UInt64 = 0
    var count = 0
    while !isCancelled() {
      if let limit, count >= limit { return .count }
      let begin = clock.now()
      let spent = begin - min(start, begin)
      if count > 0, spent + longest > budget.nanoseconds { return .budget }
      let goesOn = try perform(count)
      if isCancelled() { return .cancelled }
      longest = max(longest, clock.now() - begin)
      count += 1
      if !goesOn || (isLook(count) && isClear(count)) { return .clear }
    }
    return .cancelled
  }
}
