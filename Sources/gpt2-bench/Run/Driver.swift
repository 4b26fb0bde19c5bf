import Foundation
import Measurement

/// What every measurement with workers needs: they are started, warmed up, held to the same tokens and stopped, and the
/// machine is watched meanwhile. Who is asked for what, and in which order, is the caller's: cells in random rounds
/// (`Bench`), two builds in mirrored rounds (`PairedBench`), profiles in turns (`ProfilingTurns`).
final class Driver {
  let progress: ProgressDisplay
  let conditions = ConditionsRecorder()
  /// Nil until the machine's ceilings have been measured for the first time.
  private(set) var ceilings: CeilingProbe?

  private let model: String?
  private let timeoutSeconds: Int

  /// - Parameters:
  ///   - model: what workers load; nil for operations alone.
  ///   - timeoutSeconds: how long a worker may take for one answer.
  init(model: String?, timeoutSeconds: Int, _ console: Console) {
    self.model = model
    self.timeoutSeconds = timeoutSeconds
    progress = ProgressDisplay(console: console)
  }

  var isCancelled: Bool { Interruption.shared.isCancelled }

  /// A process that has loaded the model.
  ///
  /// - Parameters:
  ///   - build: the `gpt2-bench` that runs a variant.
  ///   - name: what errors call it; the contestant's name unless another is given.
  ///   - cold: whether the weights' file is to be dropped from the page cache first.
  ///   - usedBytes: memory that is to have been just in use when it loads: what a system takes to find some is no
  ///     load time.
  func start(
    _ contestant: Contestant, build: String = Project.executable, name: String? = nil, cold: Bool = false,
    usedBytes: Int = 0
  ) throws -> (worker: Worker, loaded: LoadAnswer) {
    let worker = try Worker(contestant, build: build, name: name, timeoutSeconds: timeoutSeconds)
    do {
      FreeMemory.use(bytes: usedBytes)
      return (worker, try worker.load(model: model, cold: cold))
    } catch {
      worker.stop()
      throw error
    }
  }

  /// A short pass, then the whole test once where that promises less than a second: it warms up better.
  ///
  /// - Parameter isKnown: whether the whole test is known to take less than a second.
  /// - Returns: seconds that the whole test is expected to take.
  func warmUp(_ worker: Worker, _ cell: CellPlan, isKnown: Bool = false) throws -> Double {
    guard let warmup = cell.warmup, !isKnown else { return try worker.run(cell.request).seconds }
    let expected = try worker.run(warmup).seconds * cell.warmupRatio(worker.decoding)
    return expected < 1 ? try worker.run(cell.request).seconds : expected
  }

  /// One session more, for so many threads each.
  func measureCeilings(threads: some Sequence<Int>) {
    progress.step("measuring the machine's ceilings")
    let probe = ceilings ?? CeilingProbe(threads: Set(threads).sorted())
    ceilings = probe
    probe.measure()
  }
}

extension RunAnswer {
  /// Wall time of the whole request; of an operation that of all calls of the sample.
  fileprivate var seconds: Double { elapsedNanoseconds * Double(iterations) / 1e9 }
}

/// The tokens that several came to on the same work: the first ones, which all others' must be.
struct AgreedTokens<Owner> {
  private var first: [Int: (owner: Owner, ids: [[Int]])] = [:]

  /// - Parameter work: what the tokens are of.
  /// - Returns: whose tokens on that work are others; nil where all agree.
  mutating func differing(_ ids: [[Int]], of owner: Owner, on work: Int) -> (owner: Owner, ids: [[Int]])? {
    guard let known = first[work] else {
      first[work] = (owner, ids)
      return nil
    }
    return known.ids == ids ? nil : known
  }
}

/// Shows how far a run is: one line drawn over on a terminal, otherwise a plain line for each thing done.
struct ProgressDisplay {
  let console: Console

  /// Something to know before minutes are spent.
  func remark(_ text: String) { console.note("note: \(text)") }

  /// A step before the rounds.
  func step(_ text: String) {
    guard console.showsProgress else { return }
    if console.drawsOver { console.drawProgress(text) } else { console.note(text) }
  }

  /// - Parameter label: what is about to run.
  func draw(_ progress: RoundProgress, label: String) {
    guard console.showsProgress, console.drawsOver else { return }
    let width = 30
    let done = Int((progress.fraction * Double(width)).rounded(.down))
    let bar = String(repeating: "█", count: done) + String(repeating: "░", count: width - done)
    let percent = String(format: "%3.0f %%", progress.fraction * 100)
    let left = progress.remainingSeconds.map { " \(Self.clock($0)) left" } ?? ""
    console.drawProgress("\(bar) \(percent)\(left)  \(label)")
  }

  /// A finished cell.
  func finished(_ text: String) {
    guard console.showsProgress, !console.drawsOver else { return }
    console.note(text)
  }

  func end() { console.endProgressLine() }

  private static func clock(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    return "\(whole / 60):" + String(format: "%02d", whole % 60)
  }
}
