import Foundation
import GPT2Engine
import Measurement

/// A worker process of this program, and what may be asked of it.
final class BenchContestant {
  let plan: ContestantPlan
  private let process: Contestant
  private let timeout: Duration

  /// - Parameter executable: a build of this program.
  init(_ plan: ContestantPlan, executable: String, timeoutSeconds: Int) throws {
    self.plan = plan
    timeout = .seconds(timeoutSeconds)
    process = try Contestant(
      name: plan.name, executable: executable, arguments: ["worker", plan.name],
      environment: Self.environment)
  }

  /// A worker that crashes shall be gone at once, not after minutes of looking at its own stack.
  private static let environment = ProcessInfo.processInfo.environment
    .merging(["SWIFT_BACKTRACE": "enable=no"]) { own, _ in own }

  func load(model: String?, cold: Bool) throws -> LoadAnswer {
    let request = LoadRequest(
      model: model, variant: plan.variant.name, threads: plan.threads, cold: cold)
    return try ask("load", request)
  }

  func check(_ request: CheckRequest) throws -> CheckAnswer { try ask("check", request) }

  func run(_ request: RunRequest) throws -> RunAnswer { try ask("run", request) }

  /// Nil where it cannot tell, or is gone.
  func peakMemory() -> Int? {
    let answer: MemoryAnswer? = try? ask("memory", Empty())
    return answer?.peakBytes
  }

  func stop() { process.stop() }

  private func ask<Payload: Encodable, Answer: Decodable>(
    _ operation: String, _ payload: Payload
  ) throws -> Answer {
    try process.request(
      operation, payload, timeout: timeout, isCancelled: { Interruption.shared.isCancelled })
  }
}
