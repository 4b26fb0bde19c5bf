import GPT2Engine
import GPT2Kernels
import Measurement
import Record
import Reporting

/// Runs a prompt and the greedy tokens after it under probes.
///
/// Where the probes' cost is asked for, each pass runs twice at the same place of the same sequence, with probes and
/// without, in an order that alternates: a machine that drifts drifts for both.
struct ProfileRun {
  let engine: Engine
  let sequence: TokenSequence
  /// Wall time after which a stage gets no further pass; it has one at least.
  let stageSeconds: Double
  let mostPasses: Int
  let measuresOverhead: Bool
  /// Whether decoding stops only after the last token, however long that takes: where passes are compared with
  /// another's, which have to be at the same positions.
  var coversAllPositions = false
  /// Whether the engine is new and has to run once before anything is timed.
  var warmsUp = false

  /// - Parameters:
  ///   - prompt: at least one id.
  ///   - newTokens: at least 1; the first is the prompt's, so that there are as many decoding passes less one.
  /// - Returns: the prefill's profile, and decoding's where there were any passes.
  func perform(prompt: [Int], newTokens: Int) throws -> [Profile] {
    func profile(_ stage: Profile.Stage, _ ran: Stage) -> Profile {
      Profile(
        of: engine.variant, threads: engine.threads, stage: stage, tokens: prompt.count, passes: ran.passes,
        without: ran.without)
    }
    let cost = MarkCost.measured()
    if warmsUp { try warmUp(prompt) }
    var prefill = Stage(cost: cost)
    let first = try repeated(&prefill) { stage in
      try pair(&stage, rows: prompt.count, firstPosition: 0) {
        sequence.reset()
        try sequence.append(prompt)
      }
    }
    let profiles = [profile(.prefill, prefill)]
    guard newTokens > 1, !Interruption.shared.isCancelled else { return profiles }
    var decode = Stage(cost: cost)
    _ = try repeated(&decode) { stage in
      sequence.truncate(to: prompt.count)
      var token = first
      for step in 1..<newTokens {
        let position = prompt.count + step - 1
        let isCached = engine.variant.decoding == .cache
        token = try pair(
          &stage, rows: isCached ? 1 : position + 1, firstPosition: isCached ? position : 0
        ) {
          sequence.truncate(to: position)
          try sequence.append([token])
        }
        if isOver(stage) && !coversAllPositions || Interruption.shared.isCancelled { break }
      }
      return token
    }
    return profiles + [profile(.decode, decode)]
  }

  private struct Stage {
    let cost: MarkCost
    var passes: [PassProfile] = []
    var without: [Double] = []
    let start = SystemClock().now()

    var seconds: Double { Double(SystemClock().now() - start) / 1e9 }
  }

  private func repeated(_ stage: inout Stage, _ body: (inout Stage) throws -> Int) rethrows -> Int {
    var token: Int
    repeat { token = try body(&stage) } while !isOver(stage) && !Interruption.shared.isCancelled
    return token
  }

  private func isOver(_ stage: Stage) -> Bool {
    stage.seconds >= stageSeconds || stage.passes.count >= mostPasses
  }

  /// The prompt and one token after it, where there is room: memory is taken, the weights have been read.
  private func warmUp(_ prompt: [Int]) throws {
    sequence.reset()
    try sequence.append(prompt)
    let token = try Pass.run(engine, sequence, isProbed: false).token
    guard sequence.room > 0 else { return }
    try sequence.append([token])
    _ = try Pass.run(engine, sequence, isProbed: false)
  }

  /// One pass with probes, and one without where their cost is asked for.
  ///
  /// - Parameter prepare: brings the sequence to where the pass begins.
  /// - Returns: the token that the pass came to.
  private func pair(
    _ stage: inout Stage, rows: Int, firstPosition: Int, prepare: () throws -> Void
  ) throws -> Int {
    var token = 0
    let probedFirst = stage.passes.count.isMultiple(of: 2)
    for isProbed in measuresOverhead ? [probedFirst, !probedFirst] : [true] {
      try prepare()
      let pass = try Pass.run(engine, sequence, isProbed: isProbed)
      token = pass.token
      let wall = Double(pass.end - pass.start)
      if isProbed {
        stage.passes.append(
          PassProfile(
            MarkLog.drain(), wallNanoseconds: wall, configuration: engine.configuration,
            weights: engine.variant.weights, cache: engine.variant.cache, rows: rows,
            firstPosition: firstPosition, cost: stage.cost))
      } else {
        stage.without.append(wall)
      }
    }
    return token
  }
}

/// One step of an engine and the choice of a token after it.
struct Pass {
  let token: Int
  /// Of `SystemClock`.
  let start: UInt64
  let end: UInt64

  static func run(_ engine: Engine, _ sequence: TokenSequence, isProbed: Bool) throws -> Pass {
    let clock = SystemClock()
    Probe.listen(isProbed ? { MarkLog.note($0, waits: Mark(rawValue: $0).beginsOperation) } : nil)
    defer { Probe.listen(nil) }
    let start = clock.now()
    Probe.enter(Mark(.between))
    let logits = try engine.step([sequence])
    var token = 0
    try Probe.during(.sampling) {
      token = try argmax(logits.values(ofRow: 0), position: sequence.tokens.count - 1)
    }
    return Pass(token: token, start: start, end: clock.now())
  }
}

/// Runs one generation under probes without a break, and keeps every mark.
struct TraceRun {
  let engine: Engine
  let sequence: TokenSequence

  /// - Parameters:
  ///   - prompt: at least one id.
  ///   - newTokens: at least 1, the prompt's own among them.
  func perform(prompt: [Int], newTokens: Int, title: String) throws -> Timeline {
    MarkLog.prepare()
    sequence.reset()
    try sequence.append(prompt)
    var passes: [TimelineBuilder.Pass] = []
    for index in 0..<newTokens where !Interruption.shared.isCancelled {
      let pass = try Pass.run(engine, sequence, isProbed: true)
      passes.append(
        .init(
          stage: index == 0 ? .prefill : .decode, tokens: index == 0 ? prompt.count : 1,
          position: index == 0 ? 0 : prompt.count + index - 1, start: pass.start, end: pass.end,
          residentBytes: ProcessMemory.residentBytes()))
      if index + 1 < newTokens { try sequence.append([pass.token]) }
    }
    return TimelineBuilder(passes).timeline(of: MarkLog.drain(), title: title)
  }
}
