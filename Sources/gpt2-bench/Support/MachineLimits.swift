import Foundation
import GPT2Kernels
import GPT2Model
import Measurement
import Record
import Training

enum Threads {
  /// Cores that this process may use.
  static let available = ProcessInfo.processInfo.activeProcessorCount

  /// Thread counts that a command line may ask for: more than cores is allowed, and noted.
  static let range = 1...256
}

/// Refuses work that would outgrow the machine: a worker that does is killed, and maybe others with it.
enum MemoryLimit {
  /// - Parameters:
  ///   - bytes: what all workers together need at least.
  ///   - what: opens the message.
  /// - Throws: `RunError` beyond half of the machine's memory; never where that is not known.
  static func check(_ bytes: Double, for what: String) throws {
    guard let memory = Machine.memoryBytes, bytes > Double(memory) / 2 else { return }
    throw RunError(
      "\(what) \(Int(min(bytes / 1_048_576, 1e15))) MiB, expected at most half of this machine's "
        + "\(memory >> 20) MiB")
  }

  /// - Throws: `RunError` beyond what one process could take now without anything being swapped out; never where that is
  ///   not known.
  static func checkFree(_ bytes: Double, for what: String) throws {
    guard let free = AvailableMemory.bytes(), bytes > Double(free) else { return }
    throw RunError(
      "\(what) \(Int(min(bytes / 1_048_576, 1e15))) MiB, expected at most the \(free >> 20) MiB that are free"
    )
  }

  /// Refuses tests that workers would outgrow the machine with: each keeps the weights, and what its largest test took.
  ///
  /// - Parameters:
  ///   - workers: those that run at once.
  ///   - what: opens the message.
  static func check(
    _ workers: [WorkerLoad], of configuration: Configuration, weightBytes: Int, for what: String
  ) throws {
    let bytes = workers.map { worker in
      worker.tests.map { $0.bytes(of: configuration, isCached: worker.decoding == .cache) }.max() ?? 0
    }
    try check(bytes.reduce(Double(workers.count * weightBytes), +), for: what)
  }
}

/// What a worker will be asked for.
struct WorkerLoad {
  let decoding: Variant.Decoding
  let tests: [Test]
}

extension [CellPlan] {
  /// The tests that a contestant takes part in.
  func load(of contestant: Contestant) -> WorkerLoad {
    WorkerLoad(decoding: contestant.decoding, tests: filter { $0.takes(contestant) }.map(\.test))
  }
}

extension Test {
  /// Bytes that a worker keeps for it beside the weights: ten rows of channels and, with a cache, a key and a
  /// value of each layer for every position; and the logits. Of training all that a step needs.
  func bytes(of configuration: Configuration, isCached: Bool) -> Double {
    if let training = traits.training {
      return Double(Trainer.memoryBytes(configuration, tokens: training.batch * training.context))
    }
    guard let generation = traits.generation else { return 0 }
    // A token that nothing follows is never computed with.
    let positions = generation.prompt + (generation.tokens > 1 ? generation.tokens : 0)
    let perPosition = Double(configuration.channels * (10 + (isCached ? 2 * configuration.layers : 0)))
    return 4 * Double(generation.batch) * (Double(positions) * perPosition + Double(configuration.vocabulary))
  }
}
