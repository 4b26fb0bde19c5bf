import GPT2Engine
import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

/// Whatever a text shares its steps with, it goes on as it would alone.
struct SchedulerTests {
  private struct Job {
    var prompt: [Int]
    var parameters: GenerationParameters
    /// The step before which it is submitted.
    var joinsAt = 0
  }

  private struct Outcome: Equatable {
    var tokens: [Int] = []
    var ending: GenerationEnding?
    var failure: EngineError?
  }

  private static func parameters(
    _ count: Int, temperature: Float = 0, seed: UInt64 = 0
  ) throws -> GenerationParameters {
    GenerationParameters(
      sampling: try SamplingParameters(temperature: temperature, seed: seed), maximumNewTokens: count)
  }

  /// Runs all of them, and says which requests had a step when.
  private func run(
    _ jobs: [Job], on engine: Engine, concurrency: Int = 3, promptTokensPerStep: Int = 4,
    ends: Set<Int> = []
  ) throws -> (outcomes: [Outcome], steps: [[Int]]) {
    let scheduler = Scheduler(engine, concurrency: concurrency, promptTokensPerStep: promptTokensPerStep)
    var outcomes = jobs.map { _ in Outcome() }
    var numbers: [Scheduler.ID: Int] = [:]
    var steps: [[Int]] = []
    var late = jobs.indices.sorted { jobs[$0].joinsAt < jobs[$1].joinsAt }
    while !late.isEmpty || !scheduler.isIdle {
      while let next = late.first, jobs[next].joinsAt <= steps.count {
        late.removeFirst()
        let id = try scheduler.submit(
          prompt: jobs[next].prompt, jobs[next].parameters, ends: ends)
        numbers[id] = next
      }
      var members: [Int] = []
      for event in scheduler.step() {
        let number = try #require(numbers[event.id])
        expectNil(outcomes[number].ending, "an event after the last")
        expectNil(outcomes[number].failure, "an event after the last")
        members.append(number)
        switch event.result {
        case .success(let step):
          if let token = step.token { outcomes[number].tokens.append(token) }
          outcomes[number].ending = step.ending
        case .failure(let error): outcomes[number].failure = error
        }
      }
      steps.append(members)
      try #require(steps.count < 1000, "no end")
    }
    return (outcomes, steps)
  }

  private func alone(_ job: Job, on engine: Engine, ends: Set<Int> = []) throws -> Outcome {
    var outcome = Outcome()
    outcome.ending = try Generator(engine).generate(
      prompt: job.prompt, job.parameters, ends: ends
    ) { step in
      if let token = step.token { outcome.tokens.append(token) }
      return true
    }
    return outcome
  }

  @Test(arguments: Variant.all)
  func anyMixGivesWhatEachGivesAlone(_ variant: Variant) throws {
    let checkpoint = try Fixtures.ragged.get()
    let engine = try Engine(checkpoint, variant: variant, threads: 2)
    // More requests than slots, prompts longer than a step takes, some that join midway, one that ends at once.
    let jobs = try [(5, 6, 0), (1, 9, 0), (11, 3, 0), (3, 0, 1), (2, 1, 1), (9, 5, 2), (4, 4, 7), (6, 8, 30)]
      .enumerated().map { index, job in
        Job(
          prompt: Fixtures.ids(job.0, of: checkpoint, seed: UInt64(index + 3)),
          parameters: try Self.parameters(
            job.1, temperature: index % 2 == 0 ? 0 : 1, seed: UInt64(index)), joinsAt: job.2)
      }
    let together = try run(jobs, on: engine).outcomes
    for (index, job) in jobs.enumerated() {
      try expectEqual(together[index], alone(job, on: engine), "request \(index)")
    }
  }

  @Test func endingsAreThoseOfSingleRuns() throws {
    let checkpoint = try Fixtures.small.get()
    let engine = try Engine(checkpoint, variant: .preferred, threads: 2)
    // A context of twelve: full, full at once, and long enough.
    let jobs = try [(3, 100), (12, 5), (4, 2), (1, 11)].map {
      Job(prompt: Fixtures.ids($0.0, of: checkpoint), parameters: try Self.parameters($0.1))
    }
    let last = try alone(jobs[0], on: engine).tokens[2]
    for ends: Set<Int> in [[], [last]] {
      let together = try run(jobs, on: engine, ends: ends).outcomes
      for (index, job) in jobs.enumerated() {
        try expectEqual(together[index], alone(job, on: engine, ends: ends))
      }
      #expect(together[1].ending == .contextFull || !ends.isEmpty)
    }
  }

  @Test func aLongPromptDoesNotHoldOthersUp() throws {
    let checkpoint = try Fixtures.tiny.get()
    let engine = try Engine(checkpoint, variant: .preferred, threads: 1)
    let jobs = [
      Job(prompt: [1, 2], parameters: try Self.parameters(20)),
      Job(prompt: Fixtures.ids(40, of: checkpoint), parameters: try Self.parameters(2), joinsAt: 2),
      Job(prompt: [7], parameters: try Self.parameters(2), joinsAt: 3),
    ]
    let steps = try run(jobs, on: engine).steps
    // The first has a token in every step of its own; forty tokens come in by fours; the last waits for them only.
    #expect(steps.prefix(20).allSatisfy { $0.contains(0) })
    expectEqual(steps.firstIndex { $0.contains(1) }, 11)
    expectEqual(steps.firstIndex { $0.contains(2) }, 12)
  }

  @Test func thoseThatWaitTakeTheFirstFreePlace() throws {
    let engine = try Engine(Fixtures.tiny.get(), variant: .preferred, threads: 1)
    let jobs = try [1, 5, 3, 1].map { Job(prompt: [$0], parameters: try Self.parameters($0)) }
    let steps = try run(jobs, on: engine, concurrency: 2).steps
    expectEqual(steps, [[0, 1], [1, 2], [1, 2], [1, 2], [1, 3]])
  }

  @Test func aRequestThatCannotBeServedTakesNoOtherAlong() throws {
    let engine = try Engine(Fixtures.small.get(), variant: .preferred, threads: 1)
    let scheduler = Scheduler(engine)
    let parameters = try Self.parameters(3)
    let good = try scheduler.submit(prompt: [4, 17], parameters)
    #expect(throws: EngineError.emptyPrompt) { try scheduler.submit(prompt: [], parameters) }
    #expect(throws: EngineError.tokenOutsideVocabulary(id: 23, vocabulary: 23)) {
      try scheduler.submit(prompt: [23], parameters)
    }
    #expect(throws: EngineError.contextExceeded(tokens: 13, context: 12)) {
      try scheduler.submit(prompt: [Int](repeating: 0, count: 13), parameters)
    }
    var tokens: [Int] = []
    while !scheduler.isIdle {
      for event in scheduler.step() {
        expectEqual(event.id, good)
        if let token = try event.result.get().token { tokens.append(token) }
      }
    }
    try expectEqual(tokens, alone(Job(prompt: [4, 17], parameters: parameters), on: engine).tokens)
  }

  @Test func aCancelledRequestLeavesAtOnce() throws {
    let checkpoint = try Fixtures.tiny.get()
    let engine = try Engine(checkpoint, variant: .preferred, threads: 1)
    let scheduler = Scheduler(engine, concurrency: 2)
    let parameters = try Self.parameters(6)
    let ids = try [[1, 2], [3], [5, 8, 13]].map { try scheduler.submit(prompt: $0, parameters) }
    expectEqual(scheduler.step().map(\.id), [ids[0], ids[1]])
    scheduler.cancel(ids[0])
    expectEqual(scheduler.step().map(\.id), [ids[1], ids[2]])
    scheduler.cancel(ids[1])
    scheduler.cancel(ids[0])
    var tokens: [Int] = []
    while !scheduler.isIdle { tokens += try scheduler.step().compactMap { try $0.result.get().token } }
    let whole = try alone(Job(prompt: [5, 8, 13], parameters: parameters), on: engine).tokens
    expectEqual(tokens, Array(whole.dropFirst()))
  }
}
