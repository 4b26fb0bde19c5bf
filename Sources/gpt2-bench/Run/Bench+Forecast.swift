import GPT2Kernels
import Measurement
import Record

/// What the parts of a run are planned to take on an ordinary machine, before it has shown what they take on this one.
private enum Planned {
  /// Seconds of both sessions of the machine's ceilings; the first also finds its memory.
  static let ceilings = [5.0, 3.0]
  /// Seconds of a load in a process of its own, and of one whose file's pages were dropped.
  static let (load, coldLoad) = (0.8, 1.5)
  /// Seconds of a check without the passes through the model that is measured: the small models' references.
  static let check = 0.7
  /// Seconds of an operation's sample or warm-up; no first token says how fast a contestant is at it.
  static let operation = 0.03
  /// Seconds of writing the record and its reports, as is done whenever a cell has ended.
  static let keeping = 0.1
  /// Seconds that a profiled pass takes to be taken apart, however short it is.
  static let profiledPass = 0.0005
  /// What a step with a cache takes of a first token: it reads as many weights, and computes less.
  static let cachedStep = 0.5

  /// Seconds of a profile's stage whose passes take so long each: whole passes until its time is over.
  static func profileStage(ofPasses pass: Double) -> Double {
    let seconds = pass + profiledPass
    let passes = (WorkerSession.profileSeconds / seconds).rounded(.up)
    return seconds * min(passes, Double(WorkerSession.profilePasses))
  }
}

extension Bench {
  /// All that the run is to do, each part planned by its arithmetic: see `Forecast` for what is known when.
  var parts: [Forecast.Part] {
    let contestants = plan.contestants.indices.filter { !isOut($0) }
    let ceilings = Planned.ceilings.enumerated().map { session, seconds in
      Forecast.Part(Forecast.ID(.ceilings, cell: session)) { _ in seconds }
    }
    let profiled = plan.contestants.indices.filter {
      plan.profile != nil && plan.contestants[$0].variant != nil && (contestants.contains($0) || isKept($0))
    }
    return ceilings + contestants.flatMap(partsBeforeRounds) + rounds.units.flatMap(partsOfCell)
      + profiled.map(profile) + [Forecast.Part(lastKeeping) { _ in 2 * Planned.keeping }]
  }

  /// Of the whole record, when all has been measured: with the profiles there is about twice as much of it.
  var lastKeeping: Forecast.ID { Forecast.ID(.keeping, contestant: plan.contestants.count) }

  private func partsBeforeRounds(_ index: Int) -> [Forecast.Part] {
    func id(_ kind: Forecast.Kind) -> Forecast.ID { Forecast.ID(kind, contestant: index) }
    let passes = Double(plan.checkedTokens(plan.contestants[index].decoding)) / firstTokenPrompt
    let check = Forecast.Part(id(.check)) { Planned.check + ($0 ?? 0) * passes }
    guard plan.firstToken != nil else { return [check] }
    return [
      Forecast.Part(id(.coldLoad)) { _ in Planned.coldLoad },
      Forecast.Part(id(.load), in: loadRounds) { _ in Planned.load },
      Forecast.Part(id(.start)) { _ in Planned.load }, check,
    ]
  }

  /// A cell's warm-up and its samples.
  private func partsOfCell(_ unit: RoundPlan.Unit) -> [Forecast.Part] {
    let (cell, flops) = (plan.cells[unit.cell], plan.firstToken?.flops)
    let arithmetic = cell.arithmetic(plan.contestants[unit.contestant].decoding)
    let (batch, hasWarmup) = (Double(cell.test.batch), cell.warmup != nil)
    // Without a first token, as for operations, or before it is known.
    let unknown = flops == nil ? Planned.operation : plan.settings.cellBudgetSeconds / 3
    let whole: @Sendable (Double?) -> Double = { firstToken in
      guard let firstToken, let flops else { return unknown }
      return firstToken * batch * arithmetic.whole / flops
    }
    let warmup: @Sendable (Double?) -> Double = { firstToken in
      let sample = whole(firstToken)
      guard hasWarmup, let firstToken, let flops else { return sample }
      return firstToken * batch * arithmetic.warmup / flops + (sample < 1 ? sample : 0)
    }
    func id(_ kind: Forecast.Kind) -> Forecast.ID {
      Forecast.ID(kind, contestant: unit.contestant, cell: unit.cell)
    }
    return [
      Forecast.Part(id(.warmup), planned: warmup), Forecast.Part(id(.sample), in: rounds, planned: whole),
      Forecast.Part(id(.keeping)) { _ in Planned.keeping },
    ]
  }

  private func profile(_ index: Int) -> Forecast.Part {
    let passes = Double(plan.profile?.promptTokens.count ?? 0) / firstTokenPrompt
    let recomputes = plan.contestants[index].decoding == .recompute
    return Forecast.Part(Forecast.ID(.profile, contestant: index)) { firstToken in
      guard let firstToken else { return 2 * WorkerSession.profileSeconds }
      let prompt = firstToken * passes
      let step = recomputes ? prompt : firstToken * Planned.cachedStep
      return Planned.profileStage(ofPasses: prompt) + Planned.profileStage(ofPasses: step)
    }
  }

  private var firstTokenPrompt: Double {
    Double(plan.firstToken?.request.generation?.prompts.first?.count ?? 1)
  }
}
