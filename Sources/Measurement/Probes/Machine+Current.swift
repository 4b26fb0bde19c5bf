import Foundation
import Record

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

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
