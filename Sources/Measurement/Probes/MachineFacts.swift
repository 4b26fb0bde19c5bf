import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What the machine says of itself. What cannot be read is nil or absent, never 0.
public struct MachineFacts: Sendable, Equatable {
  /// The CPU's model name.
  public var cpu: String?
  /// Vector and arithmetic extensions that matter to numeric code, in a fixed order.
  public var flags: [String]
  /// Logical cores that this process may run on.
  public var logicalCores: Int
  /// Cores' worth of time that the control group allows; nil where there is no limit or none is known.
  public var cpuQuota: Double?
  /// The data and unified caches of the first core.
  public var caches: [CPUCache]
  public var memoryBytes: Int?
  /// The frequency governor, for example `performance`; virtual machines have none.
  public var governor: String?
  /// The operating system and its kernel.
  public var system: String

  /// Bytes of all last-level caches together; 0 where none is known.
  public var lastLevelCacheBytes: Int {
    guard let last = caches.max(by: { $0.level < $1.level }), let bytes = last.bytes else { return 0 }
    let sharers = max(last.sharedBy ?? logicalCores, 1)
    return bytes * ((logicalCores + sharers - 1) / sharers)
  }

  /// Reads them now.
  public static func current() -> MachineFacts {
    let info = SystemFiles.text("/proc/cpuinfo")
    return MachineFacts(
      cpu: sysctlText("machdep.cpu.brand_string") ?? info.flatMap(CPUInfo.modelName),
      flags: info.map(CPUInfo.flags) ?? [],
      logicalCores: CPUTopology.availableCores,
      cpuQuota: SystemFiles.text("/sys/fs/cgroup/cpu.max").flatMap(CPUInfo.quota),
      caches: CPUCache.ofFirstCore(in: "/sys/devices/system/cpu/cpu0/cache"),
      memoryBytes: totalMemory(),
      governor: SystemFiles.text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
      system: systemName())
  }

  private static func totalMemory() -> Int? {
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
