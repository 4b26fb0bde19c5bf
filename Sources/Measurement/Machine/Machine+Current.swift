import CSystem
import Foundation
import Record

extension Machine {
  /// The machine this runs on, as it says of itself. What cannot be read is nil or absent, never 0.
  public static func current() -> Machine {
    let info = SystemFiles.text("/proc/cpuinfo")
    return Machine(
      cpu: sysctlText("machdep.cpu.brand_string") ?? info.flatMap(CPUInfo.modelName) ?? "unknown",
      flags: info.map(CPUInfo.flags) ?? [],
      logicalCores: CPUTopology.availableCores,
      caches: CPUCache.ofThisMachine().map(\.description),
      memoryBytes: memoryBytes,
      governor: SystemFiles.text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
      system: systemName())
  }

  /// All memory of this machine; nil where that is not known.
  public static var memoryBytes: Int? {
    let bytes = ProcessInfo.processInfo.physicalMemory
    return bytes > 0 ? Int(clamping: bytes) : nil
  }

  private static func systemName() -> String {
    let release = SystemFiles.text("/etc/os-release").flatMap(CPUInfo.prettyName)
    var names = utsname()
    guard uname(&names) == 0 else { return release ?? ProcessInfo.processInfo.operatingSystemVersionString }
    // A local suffix names somebody's build of the kernel, not the kernel.
    let version = text(names.release).prefix { $0 != "-" }
    let kernel = "\(text(names.sysname)) \(version) \(text(names.machine))"
    return release.map { "\($0), \(kernel)" } ?? kernel
  }

  /// A C array of characters that ends with a zero.
  private static func text<Characters>(_ characters: Characters) -> String {
    withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  private static func sysctlText(_ name: String) -> String? {
    #if canImport(Darwin)
      var size = 0
      guard sysctlbyname(name, nil, &size, nil, 0) == 0, size > 1 else { return nil }
      var bytes = [UInt8](repeating: 0, count: size)
      guard sysctlbyname(name, &bytes, &size, nil, 0) == 0 else { return nil }
      return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    #else
      return nil
    #endif
  }
}

/// What `/proc/cpuinfo` and its like say.
enum CPUInfo {
  /// Extensions worth naming, as Linux names them on x86-64 and arm64.
  static let relevantFlags = [
    "sse4_2", "avx", "f16c", "fma", "avx2", "avx_vnni", "avx512f", "avx512bw", "avx512vl", "avx512_vnni",
    "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "amx_int8", "asimd", "asimdhp", "asimddp", "sve",
    "sve2", "i8mm", "bf16", "sme",
  ]

  /// The first core's `model name`; arm64 has none.
  static func modelName(_ cpuinfo: String) -> String? {
    SystemFiles.value(of: "model name", ":", in: cpuinfo)
  }

  /// Those of `relevantFlags` that the first core has: `flags` on x86-64, `Features` on arm64.
  static func flags(_ cpuinfo: String) -> [String] {
    let lines = ["flags", "Features"].compactMap { SystemFiles.value(of: $0, ":", in: cpuinfo) }
    let present = Set((lines.first ?? "").split(separator: " ").map(String.init))
    return relevantFlags.filter(present.contains)
  }

  /// `PRETTY_NAME="…"` of `/etc/os-release`.
  static func prettyName(_ release: String) -> String? {
    SystemFiles.value(of: "PRETTY_NAME", "=", in: release)?.split(separator: "\"").first.map(String.init)
  }
}

/// One level of cache of one core.
public struct CPUCache: Sendable, Equatable, CustomStringConvertible {
  enum Kind: String {
    case data = "Data"
    case unified = "Unified"
  }

  var level: Int
  var kind: Kind
  var bytes: Int?
  /// Logical cores that use it together; nil where the system does not tell.
  var sharedBy: Int?

  /// For example `L1d 48 KiB` or `L3 32 MiB`.
  public var description: String {
    let name = "L\(level)\(kind == .data ? "d" : "")"
    guard let bytes else { return name }
    return bytes % (1 << 20) == 0 ? "\(name) \(bytes >> 20) MiB" : "\(name) \(bytes >> 10) KiB"
  }

  /// The data and unified caches of the first core.
  public static func ofThisMachine() -> [CPUCache] { ofFirstCore(in: "/sys/devices/system/cpu/cpu0/cache") }

  /// Bytes of all last-level caches of a machine together; 0 where none is known.
  /// - Parameter caches: of one core.
  public static func lastLevelBytes(_ caches: [CPUCache] = ofThisMachine(), logicalCores: Int? = nil) -> Int {
    let cores = logicalCores ?? CPUTopology.availableCores
    guard let last = caches.max(by: { $0.level < $1.level }), let bytes = last.bytes else { return 0 }
    let sharers = max(last.sharedBy ?? cores, 1)
    return bytes * ((cores + sharers - 1) / sharers)
  }

  /// Reads the folders `index0`, `index1`… of a core, as Linux lays them out; instruction caches are left out.
  static func ofFirstCore(in folder: String) -> [CPUCache] {
    var caches: [CPUCache] = []
    for index in 0..<16 {
      let path = "\(folder)/index\(index)"
      guard let level = SystemFiles.text(path + "/level").flatMap(Int.init) else { break }
      guard let kind = SystemFiles.text(path + "/type").flatMap(Kind.init) else { continue }
      let size = SystemFiles.text(path + "/size").flatMap(bytes)
      let sharers = SystemFiles.text(path + "/shared_cpu_list").flatMap(count)
      caches.append(CPUCache(level: level, kind: kind, bytes: size, sharedBy: sharers))
    }
    return caches
  }

  /// Numbers in a list such as `0-3,8-11`: eight there; nil where it is none.
  static func count(_ list: String) -> Int? {
    var count = 0
    for range in list.split(separator: ",") {
      let ends = range.split(separator: "-").map { Int($0) }
      guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first <= last
      else { return nil }
      count += last - first + 1
    }
    return count > 0 ? count : nil
  }

  /// `48K` or `32M`.
  static func bytes(_ size: String) -> Int? {
    let units: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
    guard let last = size.last, let unit = units[last], let count = Int(size.dropLast()), count > 0 else {
      return nil
    }
    return count * unit
  }
}

/// The logical cores that this process may use.
enum CPUTopology {
  /// By the affinity mask, which `taskset` and containers set, on Linux; else those that are active.
  static var availableCores: Int {
    let allowed = allowedCPUs().count
    return allowed > 0 ? allowed : ProcessInfo.processInfo.activeProcessorCount
  }

  /// Numbers of the logical cores that this thread may run on: one of each physical core first, then their
  /// siblings. Empty where the system does not tell.
  static func allowedCPUs() -> [Int] {
    var numbers = [Int32](repeating: 0, count: 8192)
    let count = csystem_allowed_cpus(&numbers, Int32(numbers.count))
    let cpus = numbers.prefix(Int(count)).map(Int.init)
    return spread(cpus) { SystemFiles.text("/sys/devices/system/cpu/cpu\($0)/topology/thread_siblings_list") }
  }

  /// Sorts by the place among the allowed siblings of a physical core, then by number. A core whose siblings
  /// are unknown counts as one without.
  static func spread(_ cpus: [Int], siblings: (Int) -> String?) -> [Int] {
    var seen: [String: Int] = [:]
    let ranked = cpus.sorted().map { cpu in
      let core = siblings(cpu) ?? "cpu\(cpu)"
      let rank = seen[core, default: 0]
      seen[core] = rank + 1
      return (rank: rank, cpu: cpu)
    }
    return ranked.sorted { ($0.rank, $0.cpu) < ($1.rank, $1.cpu) }.map(\.cpu)
  }
}
