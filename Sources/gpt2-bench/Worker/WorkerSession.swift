import Foundation
import GPT2Engine
import GPT2Kernels
import GPT2Model
import Measurement
import Record
import Reporting
import Training

/// What a worker process holds between requests: one variant, and a model where it was given one.
final class WorkerSession {
  private let project: Project
  /// What runs whatever a request names, so that a build can be another's contestant under a name of its own.
  private let fixedVariant: Variant?
  private var variant: Variant = .oracle
  private var threads = 1
  private var model: ModelSource?
  private var engine: Engine?
  private var tokenizer: Tokenizer?
  private var sequences: [TokenSequence] = []
  private var operationRuns: [OperationShape: OperationRun] = [:]
  /// The last that was wanted: its memory is a multiple of the model's.
  private var timedSteps: TimedSteps?
  private var rotation: WeightRotation?
  /// Of the loaded model; made when it is first wanted.
  private var pulse: BandwidthPulse?
  /// The peak before the checks, whose own memory must not count.
  private var peakBeforeReset = 0
  private let counters: Result<CounterSet, CountersUnavailable>

  /// - Parameter counters: of all threads that compute.
  init(
    project: Project, fixedVariant: Variant? = nil, counters: Result<CounterSet, CountersUnavailable>
  ) {
    self.project = project
    self.fixedVariant = fixedVariant
    self.counters = counters
  }

  /// What a request is held to before anything is done about it.
  private var rules: RequestRules {
    RequestRules(configuration: engine?.configuration, decoding: variant.decoding)
  }

  func load(_ request: LoadRequest) throws -> LoadAnswer {
    try rules.check(request)
    guard let variant = fixedVariant ?? Variant.named(request.variant) else {
      throw RunError("unknown variant '\(request.variant)'")
    }
    self.variant = variant
    threads = variant.threads(of: request.threads)
    (engine, model, tokenizer, sequences, operationRuns, pulse) = (nil, nil, nil, [], [:], nil)
    timedSteps = nil
    guard let name = request.model else {
      return loadAnswer(nanoseconds: nil, wasCold: nil, baselineBytes: nil)
    }
    let baselineBytes = ProcessMemory.residentBytes()
    let source = try ModelSource(name)
    let wasCold = try request.cold ? dropFromPageCache(source) : nil
    let clock = SystemClock()
    let start = clock.now()
    let engine = try Engine(
      source.open(cacheFolder: project.weights), variant: variant, threads: threads)
    sequences = [try engine.makeSequence()]
    let elapsed = Int(clock.now() - start)
    self.engine = engine
    model = source
    tokenizer = try source.tokenizer(for: engine.configuration)
    return loadAnswer(nanoseconds: elapsed, wasCold: wasCold, baselineBytes: baselineBytes)
  }

  private func loadAnswer(nanoseconds: Int?, wasCold: Bool?, baselineBytes: Int?) -> LoadAnswer {
    let unavailable: String? = if case .failure(let reason) = counters { "\(reason)" } else { nil }
    return LoadAnswer(
      loadNanoseconds: nanoseconds, wasCold: wasCold, threads: threads, weights: variant.weights.rawValue,
      instructions: variant.instructions, version: "gpt2-bench \(Build.programVersion), \(variant.name)",
      baselineBytes: baselineBytes,
      decoding: variant.decoding.rawValue, countersUnavailable: unavailable, build: .ofProgram(commit: nil))
  }

  /// Whether the files' pages are all out; false where another process keeps them.
  private func dropFromPageCache(_ source: ModelSource) throws -> Bool {
    let files = try source.open(cacheFolder: project.weights).files
    return !files.isEmpty && files.map(PageCache.evict).allSatisfy { $0 == .evicted }
  }

  func check(_ request: CheckRequest) throws -> CheckAnswer {
    try rules.check(request)
    return try withoutItsPeak { try compare(request) }
  }

  func logits(_ request: LogitsRequest) throws -> LogitsAnswer {
    guard let engine else { throw RunError("nothing to compute with: expected a loaded model") }
    try rules.check(request)
    return try withoutItsPeak {
      let logits = try engine.logits(of: request.ids)
      try logits.write(to: request.out)
      return LogitsAnswer(positions: logits.rows)
    }
  }

  /// Work whose memory does not count.
  private func withoutItsPeak<Result>(_ body: () throws -> Result) rethrows -> Result {
    peakBeforeReset = max(peakBeforeReset, ProcessMemory.peakResidentBytes() ?? 0)
    defer { _ = ProcessMemory.resetPeak() }
    return try body()
  }

  private func compare(_ request: CheckRequest) throws -> CheckAnswer {
    var results: [CheckAnswer.Reference] = []
    for folder in request.references {
      let reference = try ReferenceCase(folder: folder)
      let comparison = try engine(of: project.model(of: reference)).check(
        against: reference, scope: request.scope)
      results.append(.init(name: reference.name, comparison: comparison))
    }
    if !request.oraclePrompts.isEmpty, let engine {
      let found = try engine.check(againstOracleOn: request.oraclePrompts)
      results.append(.init(name: found.name, comparison: found.comparison))
    }
    guard let shape = request.operation else {
      let continuations = try (request.continuations ?? []).map(compare)
      return CheckAnswer(
        references: results, continuations: continuations.isEmpty ? nil : continuations,
        batch: try request.batch.flatMap { try engine?.checkBatch(of: $0) },
        perplexity: try request.perplexity.flatMap(comparePerplexity),
        gradients: variant.trains ? try request.gradients?.map(compareGradients) : nil)
    }
    let kernel = variant.kernel(threads: threads)
    let found = try shape.problem(kernel: kernel, rotation: nil).check()
    let failure = try shape.firstRaggedFailure(of: kernel)
    return shape.kind == .matmul
      ? CheckAnswer(references: results, matmul: found, matmulFailure: failure)
      : CheckAnswer(references: results, operation: found, operationFailure: failure)
  }

  private func compare(_ request: ModelFileRequest) throws -> CheckAnswer.Continuation {
    let known = try ContinuationCase(path: request.file)
    let source = try ModelSource(request.model)
    let engine = try engine(of: source)
    let check = try engine.check(
      against: known, tokenizer: source.tokenizer(for: engine.configuration))
    return .init(name: known.name, check: check)
  }

  /// Nil where the variant is exact.
  private func comparePerplexity(_ request: ModelFileRequest) throws -> PerplexityCheck? {
    guard !variant.isExact else { return nil }
    let source = try ModelSource(request.model)
    let engine = try engine(of: source)
    guard let tokenizer = try source.tokenizer(for: engine.configuration) else {
      throw RunError("\(request.model) has no tokenizer, expected one to read \(request.file) with")
    }
    let ids = try tokenizer.prefix + tokenizer.encode(utf8: [UInt8](ModelFile.read(request.file)))
    return try engine.checkPerplexity(of: ids)
  }

  private func compareGradients(_ request: ModelFileRequest) throws -> CheckAnswer.Gradients {
    let reference = try GradientReference(path: request.file)
    let trainer = try Trainer(
      ModelSource(request.model).open(cacheFolder: project.weights), variant: variant, threads: threads,
      options: reference.options)
    let found = try reference.check(trainer)
    let error = found.worst * found.tolerance
    return CheckAnswer.Gradients(
      name: reference.name, error: error.isFinite ? error : nil, tolerance: found.tolerance,
      failure: try found.failure ?? reference.firstWrongStep(of: trainer))
  }

  /// The loaded engine where it is of that model, otherwise a new one.
  private func engine(of source: ModelSource) throws -> Engine {
    if let engine, let model, source.isSame(as: model) { return engine }
    return try Engine(
      source.open(cacheFolder: project.weights), variant: variant, threads: threads)
  }

  /// Answers when the process is at rest: whoever is asked next is timed on the same cores.
  func run(_ request: RunRequest) throws -> RunAnswer {
    try rules.check(request)
    defer { if variant.leavesThreadsBusy { ProcessActivity.waitForRest() } }
    if let shape = request.operation { return try run(shape) }
    if let step = request.training { return try run(step) }
    guard let generation = request.generation, let engine else {
      throw RunError(
        "nothing to run: expected a loaded model and a generation or a training, a gemm, or an operation")
    }
    while sequences.count < generation.prompts.count { sequences.append(try engine.makeSequence()) }
    if generation.tokens > 1 {
      pulse =
        pulse
        ?? BandwidthPulse(memory: engine.layerMemory, threads: engine.threads, fork: engine.forEach)
    }
    let run = GenerationRun(
      engine: engine, tokenizer: tokenizer, sequences: Array(sequences[..<generation.prompts.count]),
      counters: try? counters.get(), pulse: pulse)
    return try run.perform(generation)
  }

  private func run(_ shape: OperationShape) throws -> RunAnswer {
    if operationRuns[shape] == nil { try rules.refuseTooLarge(shape) }
    let run =
      try operationRuns[shape]
      ?? OperationRun(
        shape.problem(kernel: variant.kernel(threads: threads), rotation: sharedRotation()))
    operationRuns[shape] = run
    let (sample, counted) = run.sample(try? counters.get())
    return RunAnswer(
      elapsedNanoseconds: sample.nanosecondsPerCall, iterations: sample.iterations,
      prefillNanoseconds: nil, tokenNanoseconds: [], ids: []
    ).with(counted)
  }

  private func run(_ step: RunRequest.Training) throws -> RunAnswer {
    guard let model else { throw RunError("nothing to train: expected a loaded model") }
    let options = step.options
    if let timedSteps, timedSteps.reshaped(for: options) {
      return try timedSteps.perform(step, try? counters.get())
    }
    // The memory of the one before goes first.
    timedSteps = nil
    let run = try TimedSteps(
      model.open(cacheFolder: project.weights), variant: variant, threads: threads, options)
    timedSteps = run
    return try run.perform(step, try? counters.get())
  }

  private func sharedRotation() throws -> WeightRotation {
    let rotation = try rotation ?? WeightRotation(bytes: StreamedMemory.bytes)
    self.rotation = rotation
    return rotation
  }

  func profile(_ request: ProfileRequest) throws -> ProfileAnswer {
    guard let engine, let sequence = sequences.first else {
      throw RunError("nothing to profile: expected a loaded model")
    }
    try rules.check(request)
    let run = ProfileRun(
      engine: engine, sequence: sequence, stageSeconds: Self.profileSeconds,
      mostPasses: Self.profilePasses, measuresOverhead: request.measuresOverhead,
      coversAllPositions: request.coversAllPositions)
    return ProfileAnswer(
      profiles: try run.perform(prompt: request.promptTokens, newTokens: request.newTokens))
  }

  /// What a stage's passes may take, beyond the first.
  static let profileSeconds = 1.0
  static let profilePasses = 200

  func memory() -> MemoryAnswer {
    MemoryAnswer(peakBytes: ProcessMemory.peakResidentBytes().map { max($0, peakBeforeReset) })
  }
}

extension Project {
  /// The model that a reference is of; relative paths start at the project.
  func model(of reference: ReferenceCase) throws -> ModelSource {
    try ModelSource(path(ofModel: reference.model))
  }
}

/// The contestant's side of every measurement: a process that runs one variant and answers requests.
enum WorkerCommand: Command {
  static let description = CommandDescription(
    name: "worker", summary: "answers measuring requests on standard input", operands: "[LABEL]",
    operandCount: 0...1,
    options: [
      Option(
        "--variant", value: "V", in: .subject, help: "run this variant, whatever variant a load request names"
      ), .kv,
    ],
    isHidden: true)

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    // Before anything starts a thread, a BLAS library that is looked up among it: they count those that come after.
    let counters = Result { () throws(CountersUnavailable) in try CounterSet() }
    let isFixed = arguments.flag("--variant") || arguments.flag("--kv")
    let variant = try isFixed ? arguments.variant() : nil
    let session = try WorkerSession(project: Project(), fixedVariant: variant, counters: counters)
    var loop = WorkerLoop()
    loop.on("load") { try session.load($0) }
    loop.on("check") { try session.check($0) }
    loop.on("logits") { try session.logits($0) }
    loop.on("run") { try session.run($0) }
    loop.on("profile") { try session.profile($0) }
    loop.on("memory") { (_: Empty) in session.memory() }
    loop.serveStandardStreams()
    return .done
  }
}
