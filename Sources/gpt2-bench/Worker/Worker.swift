import Measurement

/// The contestant's side of every measurement: a process that runs one variant and answers requests.
enum WorkerCommand: Command {
  static let description = CommandDescription(
    name: "worker", summary: "answers measuring requests on standard input", operands: "[LABEL]",
    operandCount: 0...1,
    options: [
      Option("--variant", value: "V", help: "run this variant, whatever a request to load names")
    ],
    isHidden: true)

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    // Before anything starts a thread, a BLAS library that is looked up among it: they count those that come after.
    let counters = Result { () throws(CountersUnavailable) in try CounterSet() }
    let variant = try arguments.string("--variant").map { _ in try arguments.variant() }
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
