import Chat

/// How the process ends; scripts and CI rely on the numbers.
enum ExitCode: Int32 {
  case done = 0
  /// A file, a model or a limit of the machine.
  case error = 1
  case usage = 2
  case regression = 3
  case failedCheck = 4
  /// Too noisy, too few samples.
  case inconclusive = 5
  /// Ended by Ctrl-C, as shells count it: 128 + SIGINT.
  case interrupted = 130
}

/// Something wrong on the command line: exits 2.
typealias UsageError = InputError

/// Something wrong with a file, a model or the machine: exits 1.
struct RunError: Error, Equatable, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
