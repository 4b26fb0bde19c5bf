import GPT2Kernels
import GPT2Model
import Synchronization

/// Continues many texts in shared steps: requests join and leave between steps, so a short one does not wait for the
/// long ones it started with (iteration-level scheduling: Yu et al., "Orca", OSDI 2022). A text's tokens do not depend
/// on which others share its steps. Not for use by several threads at once.
///
/// Every step takes one new position of each text that is being decoded, and at most `promptTokensPerStep` positions
/// of the prompts that have joined, the oldest first. So what the others wait for is bounded, and a chunk of that size
/// keeps the cores as busy. Where a variant recomputes, a chunk would save nothing, and prompts come in whole.
public final class Scheduler {
  public struct ID: Hashable, Sendable {
    private static let last = Atomic<Int>(0)
    private let number = Self.last.wrappingAdd(1, ordering: .relaxed).newValue

    public init() {}
  }

  /// What happened to one request. A failure is its last event, like a step with an ending.
  public struct Event: Sendable {
    public let id: ID
    public let result: Result<GenerationStep, EngineError>
  }

  /// Texts decoded at once, at most.
  public let concurrency: Int
  public let promptTokensPerStep: Int

  private let engine: Engine
  private let tokenizer: Tokenizer?
  private var waiting: [Waiting] = []
  /// In the order in which they joined.
  private var running: [Running] = []
  /// Of requests that have left, for their memory.
  private var spare: [TokenSequence] = []

  /// - Parameters:
  ///   - concurrency: texts decoded at once, at least 1; each takes a cache of keys and values. Others wait.
  ///   - promptTokensPerStep: at least 1.
  public init(
    _ engine: Engine, tokenizer: Tokenizer? = nil, concurrency: Int = 8, promptTokensPerStep: Int = 128
  ) {
    (self.engine, self.tokenizer) = (engine, tokenizer)
    self.concurrency = max(concurrency, 1)
    self.promptTokensPerStep = max(promptTokensPerStep, 1)
  }

  public var isIdle: Bool { waiting.isEmpty && running.isEmpty }

  /// Puts a request after those that wait.
  /// - Parameters:
  ///   - prompt: at least one token.
  ///   - ends: as `Continuation` has it.
  ///   - id: a new one, for whoever needs it before.
  /// - Throws: where the prompt cannot be continued by this model; the scheduler is then as it was.
  @discardableResult
  public func submit(
    prompt: [Int], _ parameters: GenerationParameters, ends: Set<Int> = [], as id: ID = ID()
  ) throws(EngineError) -> ID {
    try engine.configuration.check(prompt: prompt)
    let continuation = try Continuation(parameters, tokenizer: tokenizer, ends: ends)
    waiting.append((id, prompt, continuation))
    return id
  }

  /// Forgets a request, which gets no further event; nothing where it has ended.
  public func cancel(_ id: ID) {
    waiting.removeAll { $0.id == id }
    leave(where: { $0.id == id })
  }

  /// One pass for all that are running, with those that wait taken in where there is room.
  /// - Returns: what came of it, in the order in which the requests joined. A request that fails does so alone, unless
  ///   there is no memory for the pass, which all that share it then fail by.
  public func step() -> [Event] {
    var events = admit()
    var promptTokens = engine.variant.decoding == .cache ? promptTokensPerStep : Int.max
    let members = running.indices.filter { running[$0].takeIn(atMost: &promptTokens) }
    guard !members.isEmpty else { return events }
    do {
      let logits = try engine.step(members.map { running[$0].sequence })
      for (row, member) in members.enumerated() where running[member].hasTakenPrompt {
        events.append(running[member].next(logits.values(ofRow: row)))
      }
    } catch {
      for member in members { events.append(running[member].fail(error)) }
    }
    leave(where: \.hasEnded)
    return events
  }

  private func admit() -> [Event] {
    var events: [Event] = []
    while running.count < concurrency, !waiting.isEmpty {
      var next = waiting.removeFirst()
      if let ending = next.continuation.ending {
        events.append(Event(id: next.id, result: .success(next.continuation.finish(ending))))
        continue
      }
      do {
        let sequence = if let kept = spare.popLast() { kept } else { try engine.makeSequence() }
        running.append(
          Running(id: next.id, sequence: sequence, continuation: next.continuation, prompt: next.prompt[...]))
      } catch {
        events.append(Event(id: next.id, result: .failure(error)))
      }
    }
    return events
  }

  private func leave(where isOver: (Running) -> Bool) {
    for request in running where isOver(request) {
      request.sequence.reset()
      spare.append(request.sequence)
    }
    running.removeAll(where: isOver)
  }
}

private typealias Waiting = (id: Scheduler.ID, prompt: [Int], continuation: Continuation)

private struct Running {
  let id: Scheduler.ID
  let sequence: TokenSequence
  var continuation: Continuation
  /// What the sequence has not been given yet.
  var prompt: ArraySlice<Int>
  var hasEnded = false

  /// Whether the logits of a step are those after the whole prompt.
  var hasTakenPrompt: Bool { prompt.isEmpty }

  /// Gives the sequence what it is to take in with the next step, and says whether there is anything.
  /// - Parameter promptTokens: what is left for prompts in this step.
  mutating func takeIn(atMost promptTokens: inout Int) -> Bool {
    guard !prompt.isEmpty else { return true }
    let chunk = prompt.prefix(promptTokens)
    guard !chunk.isEmpty else { return false }
    sequence.appendChecked(chunk)
    prompt.removeFirst(chunk.count)
    promptTokens -= chunk.count
    return true
  }

  mutating func next(_ logits: UnsafeBufferPointer<Float>) -> Scheduler.Event {
    do throws(EngineError) {
      let step = try continuation.next(logits, of: sequence)
      hasEnded = step.ending != nil
      return Scheduler.Event(id: id, result: .success(step))
    } catch {
      return fail(error)
    }
  }

  mutating func fail(_ error: EngineError) -> Scheduler.Event {
    hasEnded = true
    return Scheduler.Event(id: id, result: .failure(error))
  }
}
