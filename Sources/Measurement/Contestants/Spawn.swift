import CSystem
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

extension ChildProcess {
  /// Both ends are closed in every child that does not ask for them by name.
  struct Pipe {
    let read: Int32
    let write: Int32

    init() throws(SpawnFailure) {
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

    func close() {
      for end in [read, write] where end >= 0 { Foundation.close(end) }
    }

    private static func failure() -> SpawnFailure {
      SpawnFailure(reason: "no pipe: \(String(cString: strerror(errno)))")
    }
  }

  /// Starts the program with `streams` as its standard input, output and error.
  static func spawn(
    _ executable: String, _ arguments: [String], _ environment: [String: String], _ streams: [Int32]
  ) throws(SpawnFailure) -> pid_t {
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
    for signal in [SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT] { sigaddset(&defaults, signal) }
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
    guard status == 0 else {
      throw SpawnFailure(reason: "\(executable): \(String(cString: strerror(status)))")
    }
    return pid
  }
}
