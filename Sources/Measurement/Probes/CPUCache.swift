import Foundation

/// One level of cache of one core.
public struct CPUCache: Sendable, Equatable, CustomStringConvertible {
  public enum Kind: String, Sendable {
    case data = "Data"
    case unified = "Unified"
  }

  public var level: Int
  public var kind: Kind
  public var bytes: Int?
  /// Logical cores that use it together; nil where the system does not tell.
  public var sharedBy: Int?

  public init(level: Int, kind: Kind, bytes: Int?, sharedBy: Int? = nil) {
    self.level = level
    self.kind = kind
    self.bytes = bytes
    self.sharedBy = sharedBy
  }

  /// For example `L1d 48 KiB` or `L3 32 MiB`.
  public var description: String {
    let name = "L\(level)\(kind == .data ? "d" : "")"
    guard let bytes else { return name }
    return bytes % (1 << 20) == 0 ? "\(name) \(bytes >> 20) MiB" : "\(name) \(bytes >> 10) KiB"
  }

  /// The data and unified caches of the first core.
  public static func ofThisMachine() -> [CPUCache] { ofFirstCore(in: "/sys/devices/system/cpu/cpu0/cache") }

  /// Bytes of all last-level caches of a machine together; 0 where none is known.
  ///
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
