import Dispatch
import Foundation
import GPT2Kernels
import GPT2Model

/// A GPT-2 that any number of tasks may ask at the same time. Requests that overlap are decoded together, each weight
/// read once a step for all of them; how a text goes on does not depend on what it is decoded beside. All work is done
/// on a serial queue of the model's own and on its variant's threads, none on Swift's cooperative pool.
public final class LanguageModel: Sendable {
  public typealias Variant = GPT2Kernels.Variant

  /// As it was named: a synthetic model or a path.
  public let name: String
  public let configuration: Configuration
  public let variant: Variant
  /// nil where no vocabulary lies beside the weights.
  public let tokenizer: Tokenizer?
  /// The tokens that end a text.
  public let ends: Set<Int>

  private let service: GenerationService

  /// - Parameters:
  ///   - name: `synthetic:tiny`, `synthetic:gpt2` (also `-medium`, `-large`, `-xl`, or any shape), or a path.
  ///   - variant: the kernels and the precision; the fastest in float32 where none is named.
  ///   - threads: how many the variant may use; all cores where that is nil.
  ///   - concurrency: texts decoded at once, at most; others wait. Each takes 8 · layers · channels bytes a position.
  ///   - cacheFolder: where generated weights are kept; nil for the user's cache folder.
  /// - Throws: `ModelError` for what the name or the files hold, `TokenizerError` for a vocabulary, and `EngineError`.
  public init(
    _ name: String, variant: Variant = .preferred, threads: Int? = nil, concurrency: Int = 8,
    cacheFolder: String? = nil
  ) async throws {
    let queue = DispatchQueue(label: "GPT2Engine \(name)")
    let loaded: Loaded = try await withCheckedThrowingContinuation { continuation in
      queue.async {
        let folder = cacheFolder ?? Self.cacheFolder
        continuation.resume(
          with: Result { try Self.load(name, variant, threads, concurrency, folder, queue) })
      }
    }
    (self.name, self.variant) = (name, variant)
    (configuration, tokenizer, service) = (loaded.configuration, loaded.tokenizer, loaded.service)
    ends = loaded.ends
  }

  /// Continues prompts, together.
  /// - Returns: a completion for each prompt, in their order.
  /// - Throws: before any work, where a prompt cannot be continued; `CancellationError` in a cancelled task.
  public func generate(
    prompts: [String], parameters: GenerationParameters = GenerationParameters()
  ) async throws -> [Completion] {
    try await generate(tokens: try prompts.map { try encode($0) }, parameters: parameters)
  }

  /// Continues prompts of tokens, together.
  public func generate(
    tokens prompts: [[Int]], parameters: GenerationParameters = GenerationParameters()
  ) async throws -> [Completion] {
    for prompt in prompts { try configuration.check(prompt: prompt) }
    return try await withThrowingTaskGroup(of: (Int, Completion).self) { group in
      for (index, prompt) in prompts.enumerated() {
        group.addTask { (index, try await self.completion(of: prompt, parameters)) }
      }
      var completions = [Completion?](repeating: nil, count: prompts.count)
      for try await (index, completion) in group { completions[index] = completion }
      return completions.compactMap { $0 }
    }
  }

  /// Continues a prompt and gives each step as soon as it is there. The last one says why it is the last. Whoever
  /// stops listening, or whose task is cancelled, ends the generation.
  public func stream(
    _ prompt: String, parameters: GenerationParameters = GenerationParameters()
  ) throws -> AsyncThrowingStream<GenerationStep, any Error> {
    try stream(tokens: try encode(prompt), parameters: parameters)
  }

  /// Continues a prompt of tokens and gives each step as soon as it is there.
  /// - Throws: where the prompt cannot be continued by this model.
  public func stream(
    tokens prompt: [Int], parameters: GenerationParameters = GenerationParameters()
  ) throws -> AsyncThrowingStream<GenerationStep, any Error> {
    try configuration.check(prompt: prompt)
    return AsyncThrowingStream { steps in
      let id = Scheduler.ID()
      steps.onTermination = { [service] in
        if case .cancelled = $0 { service.cancel(id) }
      }
      service.submit(prompt: prompt, parameters, ends: ends, as: id) { result in
        switch result {
        case .success(let step):
          steps.yield(step)
          if step.ending != nil { steps.finish() }
        case .failure(let error): steps.finish(throwing: error)
        }
      }
    }
  }

  /// The logits at each of these tokens, as one text from its start. Others' steps wait for it.
  /// - Throws: `EngineError.nonFiniteLogit`.
  public func logits(for tokens: [Int]) async throws -> Logits {
    try configuration.check(prompt: tokens)
    return try await service.perform { engine throws(EngineError) in
      let array = try engine.logits(of: tokens)
      try array.checkFinite()
      return Logits(positions: array.rows, vocabulary: array.columns, values: array.values)
    }
  }

  /// The ids of a whole text, with what the model's files put before it.
  /// - Throws: `EngineError.noTokenizer`, or what the tokenizer does.
  public func encode(_ text: String) throws -> [Int] {
    guard let tokenizer else { throw EngineError.noTokenizer(model: name) }
    return try tokenizer.prefix + tokenizer.encode(text)
  }

  private func completion(of prompt: [Int], _ parameters: GenerationParameters) async throws -> Completion {
    var (text, tokens) = ("", [Int]())
    for try await step in try stream(tokens: prompt, parameters: parameters) {
      text += step.text
      if let token = step.token { tokens.append(token) }
      if let ending = step.ending { return Completion(text: text, tokens: tokens, ending: ending) }
    }
    // A stream ends without an ending only for whoever was cancelled.
    throw CancellationError()
  }

  private typealias Loaded = (
    configuration: Configuration, tokenizer: Tokenizer?, ends: Set<Int>, service: GenerationService
  )

  private static func load(
    _ name: String, _ variant: Variant, _ threads: Int?, _ concurrency: Int, _ cacheFolder: String,
    _ queue: DispatchQueue
  ) throws -> Loaded {
    let source = try ModelSource(name)
    let checkpoint = try source.open(cacheFolder: cacheFolder)
    let tokenizer = try source.tokenizer(for: checkpoint.configuration)
    let engine = try Engine(
      checkpoint, variant: variant, threads: threads ?? ProcessInfo.processInfo.activeProcessorCount)
    return (
      checkpoint.configuration, tokenizer,
      try tokenizer?.ends ?? source.endTokens(for: checkpoint.configuration),
      GenerationService(engine, tokenizer: tokenizer, concurrency: concurrency, queue: queue)
    )
  }

  private static var cacheFolder: String {
    let folders = FileManager.default.urls(for: .cachesDirectory, in: .userDomainMask)
    return (folders.first ?? FileManager.default.temporaryDirectory).appendingPathComponent("gpt2-bench").path
  }
}

public struct Completion: Equatable, Sendable {
  /// The new text; empty where the model has no tokenizer.
  public let text: String
  public let tokens: [Int]
  public let ending: GenerationEnding
}

public struct Logits: Equatable, Sendable {
  /// Tokens that the model was given.
  public let positions: Int
  public let vocabulary: Int
  /// (positions, vocabulary), row by row.
  public let values: [Float]

  /// (vocabulary): what the model expects after the token at that position.
  public subscript(position: Int) -> ArraySlice<Float> {
    values[position * vocabulary..<(position + 1) * vocabulary]
  }
}

/// An engine that any number of tasks may ask. Everything after `queue` is touched on that serial queue only. A step
/// is one block on it, so requests, cancellations and logits come in between steps.
final class GenerationService: @unchecked Sendable {
  typealias Receiver = @Sendable (Result<GenerationStep, EngineError>) -> Void

  private let queue: DispatchQueue
  private let engine: Engine
  private let scheduler: Scheduler
  private var receivers: [Scheduler.ID: Receiver] = [:]
  private var isStepping = false

  /// - Parameter queue: a serial one, for nobody else's work.
  init(_ engine: Engine, tokenizer: Tokenizer?, concurrency: Int, queue: DispatchQueue) {
    (self.queue, self.engine) = (queue, engine)
    scheduler = Scheduler(engine, tokenizer: tokenizer, concurrency: concurrency)
  }

  /// - Parameter receive: gets each step, or a failure, on the service's thread; nothing after a cancellation.
  func submit(
    prompt: [Int], _ parameters: GenerationParameters, ends: Set<Int>, as id: Scheduler.ID,
    receive: @escaping Receiver
  ) {
    queue.async { [self] in
      do throws(EngineError) {
        try scheduler.submit(prompt: prompt, parameters, ends: ends, as: id)
      } catch {
        return receive(.failure(error))
      }
      receivers[id] = receive
      guard !isStepping else { return }
      isStepping = true
      queue.async { self.step() }
    }
  }

  func cancel(_ id: Scheduler.ID) {
    queue.async { [self] in
      if receivers.removeValue(forKey: id) != nil { scheduler.cancel(id) }
    }
  }

  /// Runs between two steps, with the engine to itself.
  func perform<Success: Sendable>(
    _ body: @escaping @Sendable (Engine) throws(EngineError) -> Success
  ) async throws -> Success {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { [self] in continuation.resume(with: Result { try body(engine) }) }
    }
  }

  private func step() {
    for event in scheduler.step() {
      receivers[event.id]?(event.result)
      if case .success(let step) = event.result, step.ending == nil { continue }
      receivers[event.id] = nil
    }
    isStepping = !scheduler.isIdle
    if isStepping { queue.async { self.step() } }
  }
}
