/// How long a run is still expected to take. A run is parts; a part is executed once, or in rounds.
///
/// What is known when:
/// - Before anything has run: the parts, what each is planned to take, and how often the rounds repeat it at most.
/// - From a contestant's first load on: the time of its first token. Its check, cells and profile are planned by
///   their arithmetic, and that time says what the arithmetic takes.
/// - Once a part of a kind has run: by what factor that kind takes longer than planned. The others of the kind, such
///   as the loads, the checks or the ceilings' second session, are corrected by it.
/// - From a cell's warm-up on: what the warm-up promises of a sample.
/// - From its first sample on: the mean of its samples, and so how many of them its budget allows.
/// - All the time: what passes after parts of a kind, such as what the machine is asked between rounds, in proportion.
public struct Forecast: Sendable {
  public enum Kind: Sendable {
    case ceilings, coldLoad, load, start, check, warmup, sample, keeping, profile, search, confirmation
  }

  /// Which part: contestant and cell are indices whose meaning is the caller's.
  public struct ID: Sendable, Hashable {
    public let kind: Kind
    public let contestant: Int
    public let cell: Int

    public init(_ kind: Kind, contestant: Int = 0, cell: Int = 0) {
      (self.kind, self.contestant, self.cell) = (kind, contestant, cell)
    }
  }

  public struct Part: Sendable {
    let id: ID
    /// The rounds that repeat it; nil where it is executed once.
    let rounds: RoundPlan?
    /// Seconds of one execution, by those of the contestant's first token; they are nil as long as nobody knows them.
    let planned: @Sendable (_ firstToken: Double?) -> Double

    public init(_ id: ID, in rounds: RoundPlan? = nil, planned: @escaping @Sendable (Double?) -> Double) {
      (self.id, self.rounds, self.planned) = (id, rounds, planned)
    }
  }

  private struct State {
    let part: Part
    /// Seconds of one execution, as something that has run promises them.
    var promised: Double?
    var spent = 0.0
    var count = 0
    var isOver = false
  }

  private var states: [ID: State]
  private var firstTokens: [Int: Double] = [:]
  private var current: (id: ID, begin: Double)?
  private var begin: Double?
  private var busy: [Kind: Double] = [:]
  private var idle: [Kind: Double] = [:]
  private var last: (kind: Kind, end: Double)?

  public init(_ parts: [Part] = []) {
    states = Dictionary(parts.map { ($0.id, State(part: $0)) }) { first, _ in first }
  }

  public var isEmpty: Bool { states.isEmpty }

  /// A part that nobody knew of when the run began.
  public mutating func add(_ part: Part) { states[part.id] = State(part: part) }

  /// The part is executed from now on, and one that was executed until now has ended; all moments are seconds of one
  /// clock.
  public mutating func begin(_ id: ID, at now: Double) {
    end(at: now)
    begin = begin ?? now
    if let last { idle[last.kind, default: 0] += now - last.end }
    last = nil
    current = states[id] == nil ? nil : (id, now)
  }

  /// The execution that was begun last has ended. What is executed once is over then.
  public mutating func end(at now: Double) {
    guard let (id, begin) = current else { return }
    current = nil
    last = (id.kind, now)
    busy[id.kind, default: 0] += now - begin
    states[id]?.spent += now - begin
    states[id]?.count += 1
    if states[id]?.part.rounds == nil { states[id]?.isOver = true }
  }

  /// What one execution of the part is going to take, as far as something like it has run.
  public mutating func promise(_ seconds: Double, for id: ID) { states[id]?.promised = seconds }

  /// What the contestant took for its first token, or would take as fast as it was in a later pass; the fastest counts.
  public mutating func know(firstToken seconds: Double, of contestant: Int) {
    firstTokens[contestant] = min(firstTokens[contestant] ?? seconds, seconds)
  }

  /// The part gets no further execution.
  public mutating func finish(_ id: ID) { states[id]?.isOver = true }

  /// Nothing of the contestant is executed any more.
  public mutating func finish(contestant: Int) {
    for id in states.keys where id.kind != .ceilings && id.contestant == contestant { finish(id) }
  }

  public func elapsed(at now: Double) -> Double { begin.map { now - $0 } ?? 0 }

  /// Seconds that are left.
  public func left(at now: Double) -> Double {
    let running = current.map { now - $0.begin } ?? 0
    let factors = factors
    return states.values.filter { !$0.isOver }.reduce(0) { sum, state in
      let isRunning = state.part.id == current?.id
      let begun = isRunning ? running : 0
      // What takes longer than expected takes as long as it does.
      let one = max(seconds(of: state, factors), begun)
      let wanted = state.part.rounds?.samples(ofSeconds: one) ?? 1
      let count = max(wanted - state.count, isRunning ? 1 : 0)
      let rest = Double(count) * one - (count > 0 ? begun : 0)
      return sum + rest * (1 + idleShare(of: state.part.id.kind, at: now))
    }
  }

  /// What passes after parts of the kind, as a share of what they take.
  private func idleShare(of kind: Kind, at now: Double) -> Double {
    let recent = last.map { $0.kind == kind ? now - $0.end : 0 } ?? 0
    return busy[kind].map { $0 > 0 ? ((idle[kind] ?? 0) + recent) / $0 : 0 } ?? 0
  }

  private func seconds(of state: State, _ factors: [Kind: Double]) -> Double {
    if state.count > 0 { return state.spent / Double(state.count) }
    return state.promised ?? planned(state) * (factors[state.part.id.kind] ?? 1)
  }

  private func planned(_ state: State) -> Double { state.part.planned(firstTokens[state.part.id.contestant]) }

  /// By how much longer than planned the parts of each kind took that have run.
  private var factors: [Kind: Double] {
    let run = states.values.filter { $0.count > 0 }
    return Dictionary(grouping: run) { $0.part.id.kind }.compactMapValues { same -> Double? in
      let planned = same.reduce(0.0) { $0 + self.planned($1) }
      let spent = same.reduce(0.0) { $0 + $1.spent / Double($1.count) }
      return planned > 0 ? spent / planned : nil
    }
  }
}

/// The time left as people are shown it: it falls. Where more is expected than before, it stays as it is as long as
/// that is little; else it rises, and says why.
public struct TimeLeft: Sendable, Equatable {
  public struct Rise: Sendable, Equatable {
    /// By so many seconds.
    public let seconds: Double
    /// Why, in a few words.
    public let cause: String
    let moment: Double
  }

  public private(set) var seconds: Double?
  /// The last rise, for a while.
  public private(set) var rise: Rise?

  /// More than this share, and than so many seconds, is a rise.
  private static let (tolerance, toleratedSeconds) = (0.1, 1.0)
  private static let shownSeconds = 15.0

  public init() {}

  /// - Parameters:
  ///   - cause: what a rise says for its reason.
  ///   - now: seconds of one clock.
  public mutating func expect(_ left: Double, cause: String, at now: Double) {
    if let rise, now - rise.moment > Self.shownSeconds { self.rise = nil }
    guard let shown = seconds, left > shown else {
      seconds = left
      return
    }
    guard left > shown * (1 + Self.tolerance) + Self.toleratedSeconds else { return }
    rise = Rise(seconds: left - shown, cause: cause, moment: now)
    seconds = left
  }
}
