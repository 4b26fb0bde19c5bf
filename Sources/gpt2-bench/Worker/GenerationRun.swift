import Foundation
import GPT2Engine
import GPT2Model
import Measurement

/// Times one generation: text or ids in, greedy tokens out.
struct GenerationRun {
  let engine: Engine
  let tokenizer: Tokenizer?
  /// One for each prompt of the batch; used again from run to run, as a server would.
  let sequences: [TokenSequence]
  /// Count the prompt's pass where one token is asked for, else the steps after the first token.
  let counters: CounterSet?
  /// What memory gives, asked beside a request for several tokens; nil where that is not to be known.
  let pulse: BandwidthPulse?
  var clock: any MonotonicClock = SystemClock()

  func perform(_ request: RunRequest.Generation) throws -> RunAnswer {
    for sequence in sequences { sequence.reset() }
    let countsSteps = request.tokens > 1
    let pulse = countsSteps ? pulse : nil
    let before = pulse?.gbPerSecond(on: engine.forEach)
    if !countsSteps { counters?.start() }
    var start = clock.now()
    for (index, prompt) in request.prompts.enumerated() {
      if index == 0, let text = request.text, let tokenizer {
        try sequences[index].append(tokenizer.encode(text))
      } else {
        try sequences[index].append(prompt)
      }
    }
    let prefillStart = clock.now()
    var prefill = 0
    var times: [Int] = []
    let ids = try engine.continueGreedily(
      sequences, count: request.tokens,
      onLogits: { if $0 == 0 { prefill = Int(clock.now() - prefillStart) } },
      onTokens: { step, _ in
        times.append(Int(clock.now() - start))
        if step == 0, countsSteps { start += startCounters() }
        return true
      })
    let elapsed = clock.now() - start
    let counted = counters?.stop()
    let beside = [before, pulse?.gbPerSecond(on: engine.forEach)].compactMap { $0 }
    return RunAnswer(
      elapsedNanoseconds: Double(elapsed), iterations: 1, prefillNanoseconds: prefill,
      tokenNanoseconds: times, ids: ids, memoryGBPerSecond: beside.isEmpty ? nil : beside
    ).with(counted)
  }

  /// - Returns: the nanoseconds that it took, which are no part of the generation.
  private func startCounters() -> UInt64 {
    guard let counters else { return 0 }
    let begin = clock.now()
    counters.start()
    return clock.now() - begin
  }
}
