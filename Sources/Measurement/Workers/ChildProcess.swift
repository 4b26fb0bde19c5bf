import CSystem
import Files
import Foundation

/// A process with pipes to its three standard streams, in a process group of its own, so that Ctrl-C on the terminal
/// reaches the parent alone. By `posix_spawn`: no threads of its own, an exec that fails is an error here, and the
/// group can be killed whole. The parent's ends of the pipes do not block. Not thread-safe.
final class ChildProcess {
  /// The parent's ends; -1 once closed.
  private(set) var input: Int32
  private(set) var output: Int32
  private(set) var standardError: Int32

  let pid: pid_t
  private var ending: WorkerError.Ending?

  /// - Parameters:
  ///   - executable: a path, or a name that is looked up in `PATH`.
  ///   - arguments: without the program's name.
  init(executable: String, arguments: [String], environment: [String: String]) throws(WorkerError.Kind) {
    Self.ignoreBrokenPipes()
    var pipes: [Pipe] = []
    do {
      for _ in 0..<3 { pipes.append(try Pipe()) }
      pid = try Self.spawn(
        executable, arguments, environment, [pipes[0].read, pipes[1].write, pipes[2].write])
    } catch {
      for pipe in pipes { pipe.close() }
      throw error
    }
    for end in [pipes[0].read, pipes[1].write, pipes[2].write] { _ = Foundation.close(end) }
    (input, output, standardError) = (pipes[0].write, pipes[1].read, pipes[2].read)
    for descriptor in [input, output, standardError] {
      _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }
  }

  deinit {
    _ = kill()
    closeAll()
  }

  /// Whether the process has ended; it stays a zombie until `kill` collects it.
  var hasExited: Bool {
    if ending != nil { return true }
    var info = siginfo_t()
    let status = waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT)
    return status == 0 ? info.si_signo == SIGCHLD : errno == ECHILD
  }

  /// Kills the whole group, collects the process and tells how it ended: its own way where it had ended before.
  func kill() -> WorkerError.Ending {
    if let ending { return ending }
    // The process has not been collected, so its id cannot yet belong to another.
    _ = killpg(pid, SIGKILL)
    var status: Int32 = 0
    _ = uninterrupted { waitpid(pid, &status, 0) }
    let result = Self.ending(status: status)
    ending = result
    return result
  }

  /// The child sees the end of its input.
  func closeInput() { Self.close(&input) }

  func closeStandardError() { Self.close(&standardError) }

  func closeAll() {
    Self.close(&input)
    Self.close(&output)
    Self.close(&standardError)
  }

  private static func close(_ descriptor: inout Int32) {
    guard descriptor >= 0 else { return }
    _ = Foundation.close(descriptor)
    descriptor = -1
  }

  /// A child that has died must give `EPIPE`, not end this process. A handler that is already there stays.
  private static func ignoreBrokenPipes() {
    var action = sigaction()
    guard sigaction(SIGPIPE, nil, &action) == 0 else { return }
    #if canImport(Glibc)
      let handler = action.__sigaction_handler.sa_handler
    #else
      let handler = action.__sigaction_u.__sa_handler
    #endif
    if handler == nil { signal(SIGPIPE, SIG_IGN) }
  }

  private static func ending(status: Int32) -> WorkerError.Ending {
    let signal = status & 0x7f
    return signal == 0 ? .exited(code: (status >> 8) & 0xff) : .signalled(name: signalName(signal))
  }

  private static func signalName(_ signal: Int32) -> String {
    let names: [Int32: String] = [
      SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL", SIGTRAP: "SIGTRAP",
      SIGABRT: "SIGABRT", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGKILL: "SIGKILL", SIGSEGV: "SIGSEGV",
      SIGPIPE: "SIGPIPE", SIGALRM: "SIGALRM", SIGTERM: "SIGTERM", SIGXCPU: "SIGXCPU", SIGXFSZ: "SIGXFSZ",
      SIGSYS: "SIGSYS",
      SIGUSR1: "SIGUSR1", SIGUSR2: "SIGUSR2",
    ]
    return names[signal] ?? "signal \(signal)"
  }
}

extension ChildProcess {
  /// Both ends are closed in every child that does not ask for them by name.
  struct Pipe {
    let read: Int32
    let write: Int32

    init() throws(WorkerError.Kind) {
      var ends: [Int32] = [-1, -1]
      guard csystem_pipe(&ends) == 0 else { throw Self.failure() }
      // Above the three standard streams, so that `dup2` onto those never meets its own source.
      read = fcntl(ends[0], F_DUPFD_CLOEXEC, 3)
      write = fcntl(ends[1], F_DUPFD_CLOEXEC, 3)
      Foundation.close(ends[0])
      Foundation.close(ends[1])
      guard read >= 0, write >= 0 else {
        let failure = Self.failure()
        close()
        throw failure
      }
    }

    func close() { for end in [read, write] where end >= 0 { Foundation.close(end) } }
    private static func failure() -> WorkerError.Kind { .couldNotStart(reason: "no pipe: \(systemReason())") }
  }

  /// Starts the program with `streams` as its standard input, output and error.
  static func spawn(
    _ executable: String, _ arguments: [String], _ environment: [String: String], _ streams: [Int32]
  ) throws(WorkerError.Kind) -> pid_t {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #else
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    for (target, stream) in streams.enumerated() {
      posix_spawn_file_actions_adddup2(&actions, stream, Int32(target))
    }

    // A child starts with no signal blocked, and ends of those that this process may ignore.
    var blocked = sigset_t()
    sigemptyset(&blocked)
    posix_spawnattr_setsigmask(&attributes, &blocked)
    var defaults = sigset_t()
    sigemptyset(&defaults)
    for signal in [SIGPIPE, SIGXFSZ, SIGINT, SIGTERM, SIGHUP, SIGQUIT] { sigaddset(&defaults, signal) }
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    posix_spawnattr_setpgroup(&attributes, 0)
    var flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    #if canImport(Darwin)
      flags |= POSIX_SPAWN_CLOEXEC_DEFAULT
    #endif
    posix_spawnattr_setflags(&attributes, Int16(flags))

    var words: [UnsafeMutablePointer<CChar>?] = ([executable] + arguments).map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] =
      environment.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for string in words + variables { free(string) } }

    var pid: pid_t = 0
    let status = posix_spawnp(&pid, executable, &actions, &attributes, &words, &variables)
    guard status == 0 else { throw .couldNotStart(reason: "\(executable): \(systemReason(status))") }
    return pid
  }
}
