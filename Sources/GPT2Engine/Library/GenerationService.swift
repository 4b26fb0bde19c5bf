import Dispatch
import GPT2Kernels
import GPT2Model

/// An engine on a thread of its own, which any number of tasks may ask.
///
/// Everything after `queue` is touched on that serial queue only. A step is one block on it, so requests, cancellations
/// and logits come in between steps; no thread of Swift's cooperative pool ever waits for one.
final class GenerationService: @unchecked Sendable {
  typealias Receiver = @Sendable (Result<GenerationStep, EngineError>) -> Void

  private let queue: DispatchQueue
  private let engine: Engine
  private let scheduler: Scheduler
  private var receivers: [Scheduler.ID: Receiver] = [:]
  private var isStepping = false

  /// - Parameter queue: a serial one, for nobody else's work.
  init(_ engine: Engine, tokenizer: Tokenizer?, concurrency: Int, queue: DispatchQueue) {
    self.queue = queue
    self.engine = engine
    scheduler = Scheduler(engine, tokenizer: tokenizer, concurrency: concurrency)
  }

  /// - Parameter receive: gets each step, or a failure, on the service's thread; nothing after a cancellation.
  func submit(
    prompt: [Int], _ parameters: GenerationParameters, as id: Scheduler.ID, receive: @escaping Receiver
  ) {
    queue.async { [self] in
      do throws(EngineError) {
        try scheduler.submit(prompt: prompt, parameters, as: id)
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
      guard receivers.removeValue(forKey: id) != nil else { return }
      scheduler.cancel(id)
    }
  }

  /// Runs between two steps, with the engine to itself.
  func perform<Success: Sendable>(
    _ body: @escaping @Sendable (Engine) throws(EngineError) -> Success
  ) async throws -> Success {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { [self] in
        do {
          continuation.resume(returning: try body(engine))
        } catch {
          continuation.resume(throwing: error)
        }
      }
    }
  }

  private func step() {
    for event in scheduler.step() {
      receivers[event.id]?(event.result)
      if event.isLast { receivers[event.id] = nil }
    }
    isStepping = !scheduler.isIdle
    if isStepping { queue.async { self.step() } }
  }
}

extension Scheduler.Event {
  fileprivate var isLast: Bool {
    switch result {
    case .success(let step): step.ending != nil
    case .failure: true
    }
  }
}
