import Foundation
import GPT2Engine
import GPT2Kernels
import Measurement

/// A contestant's process, and what may be asked of it. What it answers is held against what was asked before
/// anybody computes with it.
final class Worker {
  let plan: Contestant
  /// As it said when it loaded; before, what the plan expects.
  private(set) var decoding: Variant.Decoding
  private let process: WorkerProcess
  private let timeout: Duration

  /// - Parameters:
  ///   - build: the `gpt2-bench` that runs a variant; this one unless another is named.
  ///   - name: what errors call it; the plan's name unless another is given.
  init(
    _ plan: Contestant, build: String = Project.executable, name: String? = nil, timeoutSeconds: Int
  ) throws {
    self.plan = plan
    decoding = plan.decoding
    timeout = .seconds(timeoutSeconds)
    let (executable, arguments) =
      switch plan.kind {
      case .variant: (build, ["worker", plan.name])
      case .peer(let peer): (peer.executable, peer.arguments)
      }
    process = try WorkerProcess(
      name: name ?? plan.name, executable: executable, arguments: arguments, environment: Self.environment)
  }

  /// A worker that crashes shall be gone at once, not after minutes of looking at its own stack.
  private static let environment = ProcessInfo.processInfo.environment
    .merging(["SWIFT_BACKTRACE": "enable=no"]) { own, _ in own }

  func load(model: String?, cold: Bool) throws -> LoadAnswer {
    let request = LoadRequest(model: model, variant: plan.label, threads: plan.threads, cold: cold)
    let answer: LoadAnswer = try ask("load", request)
    decoding = try answer.checked(against: plan)
    return answer
  }

  func check(_ request: CheckRequest) throws -> CheckAnswer { try ask("check", request) }

  func logits(_ request: LogitsRequest) throws -> LogitsAnswer { try ask("logits", request) }

  func run(_ request: RunRequest) throws -> RunAnswer {
    let answer: RunAnswer = try ask("run", request)
    try answer.check(against: request, of: plan.name)
    return answer
  }

  func profile(_ request: ProfileRequest) throws -> ProfileAnswer { try ask("profile", request) }

  /// Nil where it cannot tell, or is gone.
  func peakMemory() -> Int? {
    let answer: MemoryAnswer? = try? ask("memory", Empty())
    return answer?.peakBytes.flatMap { $0 > 0 ? $0 : nil }
  }

  func stop() { process.stop() }

  private func ask<Payload: Encodable, Answer: Decodable>(
    _ operation: String, _ payload: Payload
  ) throws -> Answer {
    try process.request(
      operation, payload, timeout: timeout, isCancelled: { Interruption.shared.isCancelled })
  }
}
