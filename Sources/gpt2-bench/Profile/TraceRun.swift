import GPT2Engine
import Measurement
import Reporting

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
