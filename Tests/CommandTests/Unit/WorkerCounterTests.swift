import Measurement
import TestSupport
import Testing

@testable import gpt2_bench

/// What a worker counts, through the kernel's own clock: it is opened, enabled and read as the CPU's counters are.
@Suite(.enabled(if: (try? CounterSet([.taskClock])) != nil, "perf_event_open is not allowed here"))
struct WorkerCounterTests {
  private func session(_ variant: String, threads: Int) throws -> WorkerSession {
    let counters = try CounterSet([.taskClock])
    let session = WorkerSession(project: try Project(), counters: .success(counters))
    let answer = try session.load(
      LoadRequest(model: "synthetic:tiny", variant: variant, threads: threads, cold: false))
    expectNil(answer.countersUnavailable)
    return session
  }

  private func time(_ session: WorkerSession, prompt: Int, tokens: Int) throws -> (Int, RunAnswer) {
    let request = RunRequest(prompts: [(0..<prompt).map { $0 % 100 }], tokens: tokens)
    let answer = try session.run(request)
    try answer.check(against: request, vocabulary: nil, of: "worker")
    expectEqual(answer.countersShare, 1)
    expectEqual(answer.counters?.count, 1)
    return (try #require(answer.counters?["taskClock"]), answer)
  }

  @Test func aPromptsPassCountsWholeAndADecodersStepsAlone() throws {
    let session = try session("kv-cache", threads: 1)
    _ = try time(session, prompt: 100, tokens: 1)
    let (pass, _) = try time(session, prompt: 100, tokens: 1)
    let (step, answer) = try time(session, prompt: 100, tokens: 2)
    // One step reads the weights once, the pass computes a hundred positions.
    #expect(pass > 3 * step, "\(pass), \(step)")
    #expect(step > 0 && Double(step) < answer.elapsedNanoseconds)
  }

  @Test func theThreadsOfThePoolCount() throws {
    let session = try session("threaded", threads: 2)
    // The counters stop after the clock: a pass in which this thread lost its core there counts longer.
    let shares = try (0..<5).map { _ in
      let (pass, answer) = try time(session, prompt: 100, tokens: 1)
      return Double(pass) / answer.elapsedNanoseconds
    }
    #expect(shares.allSatisfy { $0 > 0 } && (shares.min() ?? .infinity) < 2.2, "\(shares)")
  }

  /// A machine that is busy while the length is sought makes it shorter; not each of ten times.
  @Test func theFirstSampleOfAProductFindsItsLengthAndIsNotCounted() throws {
    let request = RunRequest(operation: .matmul(m: 1, k: 64, n: 64))
    let isLong = try (0..<10).contains { _ in
      let session = try session("simd8", threads: 1)
      try expectNil(session.run(request).counters)
      let answer = try session.run(request)
      let time = try #require(answer.counters?["taskClock"])
      // All calls, of which the time is the mean.
      #expect(Double(time) < 1.1 * answer.elapsedNanoseconds * Double(answer.iterations))
      return time > 1_000_000
    }
    #expect(isLong)
  }

  @Test func aWorkerWithoutCountersSaysWhy() throws {
    let opened = Result { () throws(CountersUnavailable) in try CounterSet([]) }
    let session = WorkerSession(project: try Project(), counters: opened)
    let answer = try session.load(
      LoadRequest(model: "synthetic:tiny", variant: "naive", threads: 1, cold: false))
    expectEqual(answer.countersUnavailable?.hasPrefix("perf_event_open: no hardware counters"), true)
    let request = RunRequest(prompts: [[1]], tokens: 2)
    let run = try session.run(request)
    expectNil(run.counters)
    expectNil(run.countersShare)
  }
}
