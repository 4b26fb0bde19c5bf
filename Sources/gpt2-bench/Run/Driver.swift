import Foundation
import GPT2Kernels
import Measurement
import Record

/// One visit to a worker: whose it is, what it is asked, and where its answer goes.
struct Turn {
  let contestant: Contestant
  /// The `gpt2-bench` that runs a variant.
  var build = Project.executable
  /// What errors call the worker, and what a process that stays is known by; the contestant's name unless another is
  /// given.
  var name: String?
  /// What progress shows; nil for the step around it.
  var step: String?
  /// Whether the step gets a line of its own where no line can be drawn over.
  var isLine = true
  /// What of the run's forecast it is; nil for what that does not know.
  var part: Forecast.ID?
  /// Whether the process stays for later turns, or is one of this turn's own.
  var stays = true
  /// Whether the weights' file is dropped from the page cache before a load.
  var cold = false
  /// Memory that is to have been just in use when it loads: what a system takes to find some is no load time.
  var usedBytes = 0
  let ask: (Worker) throws -> Void
  /// What becomes of an error: of starting, loading or asking. An error that it throws ends the sequence.
  var failed: (any Error) throws -> Void = { throw $0 }
}

/// The one loop of every measurement with workers. Turns say who is asked for what, and their sequence is the order:
/// cells in random rounds (`Bench`), two builds in mirrored rounds (`PairedBench`), profiles in turns
/// (`ProfilingTurns`). Workers are started when their first turn comes; the machine is watched meanwhile.
final class Driver {
  let console: Console
  let progress: RunProgress
  let conditions = ConditionsRecorder()
  /// Nil until the machine's ceilings have been measured for the first time.
  private(set) var ceilings: CeilingProbe?

  private let model: String?
  private let vocabulary: Int?
  private let timeoutSeconds: Int
  /// Those that stay, by name.
  private(set) var workers: [String: Worker] = [:]

  /// - Parameters:
  ///   - model: what workers load; nil for operations alone.
  ///   - vocabulary: the model's, where answers' ids are to be held to it.
  ///   - timeoutSeconds: how long a worker may take for one answer.
  init(model: String?, vocabulary: Int? = nil, timeoutSeconds: Int, _ console: Console) {
    (self.model, self.vocabulary) = (model, vocabulary)
    self.timeoutSeconds = timeoutSeconds
    self.console = console
    progress = RunProgress(console)
  }

  var isCancelled: Bool { Interruption.shared.isCancelled }

  func run(_ turns: [Turn]) throws {
    var rest = turns[...]
    try run { rest.popFirst() }
  }

  /// Takes turns until there is none, or the user wants to end.
  func run(_ next: () throws -> Turn?) throws {
    while !isCancelled, let turn = try next() {
      progress.begin(turn.part, turn.step, isLine: turn.isLine)
      defer { progress.end(turn.part) }
      do { try take(turn) } catch { try turn.failed(error) }
    }
  }

  /// Takes the turns of rounds: `turn` makes one whose worker is asked for an outcome.
  ///
  /// - Returns: the contestants that failed, and how.
  func run<Outcome>(
    _ plan: RoundPlan, _ observers: Rounds<Outcome>.Observers,
    turn: (RoundPlan.Unit, RoundPhase, _ keep: @escaping (Result<Outcome, any Error>) -> Void) throws -> Turn
  ) throws -> [Int: any Error] {
    defer { console.endProgressLine() }
    var rounds = Rounds<Outcome>(plan, observers: observers)
    try run {
      try rounds.next().map { [self] unit, phase in
        // A contestant that was stopped because the user wants to end has not failed.
        try turn(unit, phase) { [self] result in
          if case .failure = result, isCancelled { return }
          rounds.end(result)
        }
      }
    }
    if isCancelled { rounds.cancel() }
    return rounds.failures
  }

  private func take(_ turn: Turn) throws {
    let name = turn.name ?? turn.contestant.name
    let worker: Worker
    if turn.stays, let known = workers[name] {
      worker = known
    } else {
      worker = try Worker(
        turn.contestant, build: turn.build, name: name, vocabulary: vocabulary,
        timeoutSeconds: timeoutSeconds, waiting: { [progress] in progress.tick() })
      workers[name] = worker
      do {
        FreeMemory.use(bytes: turn.usedBytes)
        try worker.load(model: model, cold: turn.cold)
      } catch {
        stop(name)
        throw error
      }
    }
    defer { if !turn.stays { stop(name) } }
    try turn.ask(worker)
  }

  func stop(_ name: String) { workers.removeValue(forKey: name)?.stop() }

  func stopAll() { for name in workers.keys { stop(name) } }

  /// A short pass, then the whole test once where that promises less than a second: it warms up better.
  ///
  /// - Parameter isKnown: whether the whole test is known to take less than a second.
  /// - Returns: seconds that the whole test is expected to take.
  func warmUp(_ worker: Worker, _ cell: CellPlan, isKnown: Bool = false) throws -> Double {
    guard let warmup = cell.warmup, !isKnown else { return try worker.run(cell.request).seconds }
    let arithmetic = cell.arithmetic(worker.decoding)
    let expected = try worker.run(warmup).seconds * arithmetic.whole / arithmetic.warmup
    return expected < 1 ? try worker.run(cell.request).seconds : expected
  }

  /// One session more, for so many threads each.
  /// - Parameter weights: the precisions of what runs, whose products are measured too.
  func measureCeilings(
    threads: some Sequence<Int>, weights: some Sequence<String>, part: Forecast.ID? = nil
  ) {
    progress.begin(part, CeilingProbe.step, isLine: true)
    defer { progress.end(part) }
    let probe = ceilings ?? CeilingProbe(threads: Set(threads).sorted())
    ceilings = probe
    probe.products = ProductPeak.Numbers.of(weights)
    probe.measure()
    // The first session has also found the memory, and how it is read best.
    if let part { progress.promise(probe.lastSeconds, for: Forecast.ID(.ceilings, cell: part.cell + 1)) }
  }
}

extension ProductPeak.Numbers {
  /// Those that contestants with such weights multiply.
  static func of(_ weights: some Sequence<String>) -> Set<Self> {
    Set(weights.compactMap(Self.init(weights:)))
  }
}

extension CeilingProbe {
  fileprivate static let step = "measuring the machine's ceilings"

  func measure(_ console: Console) {
    console.step(Self.step)
    measure()
  }
}

extension Record {
  mutating func keep(_ probe: CeilingProbe) { (ceilings, ceilingSeconds) = (probe.ceilings, probe.seconds) }
}

extension RunAnswer {
  /// Wall time of the whole request; of an operation that of all calls of the sample.
  var seconds: Double { elapsedNanoseconds * Double(iterations) / 1e9 }
}

/// The tokens that several came to on the same work: the first ones, which all others' must be. Fewer bits
/// than float32's may be rounded in several ways, so with those an owner is held to its own tokens only.
struct AgreedTokens<Owner: Hashable> {
  private struct Work: Hashable {
    let number: Int
    /// Nil where all owners are held to the same tokens.
    let owner: Owner?
  }

  private var first: [Work: (owner: Owner, ids: [[Int]])] = [:]

  /// - Parameters:
  ///   - number: of the work that the tokens are of.
  ///   - isExact: whether they were made with float32's numbers.
  /// - Returns: whose tokens on that work are others; nil where all agree.
  mutating func differing(
    _ ids: [[Int]], of owner: Owner, on number: Int, isExact: Bool
  ) -> (owner: Owner, ids: [[Int]])? {
    let work = Work(number: number, owner: isExact ? nil : owner)
    guard let known = first[work] else {
      first[work] = (owner, ids)
      return nil
    }
    return known.ids == ids ? nil : known
  }
}

/// One line drawn over on a terminal, otherwise a plain line for each thing done.
extension Console {
  func remark(_ text: String) { note("note: \(text)") }

  func step(_ text: String) {
    guard showsProgress else { return }
    if drawsOver { drawProgress(text) } else { note(text) }
  }

  func finished(_ text: String) {
    if showsProgress, !drawsOver { note(text) }
  }
}
