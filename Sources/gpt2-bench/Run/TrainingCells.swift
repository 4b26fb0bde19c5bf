import GPT2Engine
import GPT2Kernels
import GPT2Model
import Measurement
import Record
import Reporting
import Training

extension GenerationCells {
  /// One step on windows that `Prompts` makes, the same for every contestant.
  func makeTraining(_ test: Test, batch: Int, context: Int) throws -> CellPlan {
    guard test.fits(configuration) else {
      throw UsageError(
        test.name, found: "windows of \(context) tokens",
        expected: "at most \(configuration.context), the model's context")
    }
    let options = TrainingOptions(benchmarking: batch, context: context)
    do { try options.check(modelContext: configuration.context) } catch {
      throw UsageError("\(test.name): \(error)")
    }
    let windows = try prompts.make(tokens: context + 1, batch: batch).prompts
    let work = Work(ofTrainingStepIn: configuration, tokens: batch * context)
    let flops = work.flops / Double(batch)
    return CellPlan(
      test: test, request: RunRequest(training: RunRequest.Training(windows: windows, options)),
      warmup: nil, work: { _, _, _ in (work.flops, work.bytes, nil) }, arithmetic: { _ in (flops, flops) },
      takes: { $0.variant?.trains ?? true })
  }
}

extension TrainingOptions {
  /// What a step is measured with. The rate is low: the windows come again and again, and the loss must stay a number.
  init(benchmarking batch: Int, context: Int) {
    self.init()
    (self.batch, self.context) = (batch, context)
    (learningRate, minimumLearningRate, schedule) = (1e-4, 0, .constant)
  }
}

extension [CellPlan] {
  /// The contestants that take part in any of the cells, and a note on those that do not take part in all.
  ///
  /// - Throws: `UsageError` for a cell that no contestant takes part in.
  func contestants(among all: [Contestant]) throws -> (kept: [Contestant], notes: [String]) {
    for cell in self where !all.contains(where: cell.takes) {
      throw UsageError(
        "--variants", found: all.map(\.label).uniqued().joined(separator: ","),
        expected: "one with float32 weights for \(cell.test.name): only those train")
    }
    let left = all.filter { contestant in contains { !$0.takes(contestant) } }.map(\.label).uniqued()
    return (
      all.filter { contestant in contains { $0.takes(contestant) } },
      left.isEmpty
        ? [] : ["left out of training, which needs float32 weights: \(left.joined(separator: ", "))"]
    )
  }
}

extension Option {
  static let train = Option(
    "--train", value: "BxT,…", in: .subject, default: "none",
    help: "steps of training on B windows of T tokens each, for example 4x64,8x256")
}

extension Arguments {
  /// The tests of `--train`; none where it is not given.
  func training() throws -> [Test] {
    guard let text = string(Option.train.names[0]) else { return [] }
    return try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      let sizes = part.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
      guard sizes.count == 2, let batch = sizes[0], let context = sizes[1],
        (1...Int(Int32.max)).contains(batch), (1...Int(Int32.max)).contains(context)
      else {
        throw UsageError(
          Option.train.names[0], found: String(part),
          expected: "BxT, windows and tokens of each, for example 4x64")
      }
      return .training(batch: batch, context: context)
    }.uniqued()
  }
}

/// Holds another program's training against this one's: the losses of some steps on the same windows must be the same.
struct PeerTrainingCheck {
  private static let steps = 10
  /// Of the first loss. The first steps of AdamW move each parameter by the rate, whatever its gradient's size: where that is
  /// hardly more than rounding, the direction may differ.
  private static let tolerance = 1e-3

  let setup: EndToEnd
  /// Of the first test that trains.
  let request: RunRequest
  private var expected: [Double] = []

  /// Nil where no cell trains.
  init?(_ cells: [CellPlan], setup: EndToEnd) {
    guard let cell = cells.first(where: { $0.test.training != nil }) else { return nil }
    (self.setup, request) = (setup, cell.request)
  }

  /// Nil for a program that does not train: its cells say so.
  mutating func row(of worker: Worker) throws -> Correctness? {
    let found: [Double]
    do { found = try losses(of: worker) } catch let error as WorkerError where !error.isFinal { return nil }
    if expected.isEmpty {
      let own = try Worker(
        Contestant(kind: .variant(.preferred), threads: worker.contestant.threads),
        timeoutSeconds: setup.options.timeoutSeconds)
      defer { own.stop() }
      try own.load(model: setup.choice.name)
      expected = try losses(of: own)
    }
    let errors = zip(found, expected).map { abs($0 - $1) / expected[0] }
    let wrong = errors.firstIndex { !($0 <= Self.tolerance) }
    return Correctness(
      variant: worker.contestant.label, threads: worker.contestant.threads,
      reference: "losses of \(Self.steps) steps, as \(Variant.preferred.name)'s", passed: wrong == nil,
      maxAbsoluteError: errors.max(), tolerance: Self.tolerance, nmse: nil, argmaxAgreed: 0,
      argmaxCompared: 0,
      failure: wrong.map { "the loss of step \($0 + 1) is \(found[$0]), expected \(expected[$0])" })
  }

  private func losses(of worker: Worker) throws -> [Double] {
    try (0..<Self.steps).compactMap { _ in try worker.run(request).loss }
  }
}
