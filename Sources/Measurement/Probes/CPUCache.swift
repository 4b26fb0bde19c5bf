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

  public init(level: Int, kind: Kind, bytes: Int?) {
    self.level = level
    self.kind = kind
    self.bytes = bytes
  }

  /// For example `L1d 48 KiB` or `L3 32 MiB`.
  public var description: String {
    let name = "L\(level)\(kind == .data ? "d" : "")"
    guard let bytes else { return name }
    return bytes % (1 << 20) == 0 ? "\(name) \(bytes >> 20) MiB" : "\(name) \(bytes >> 10) KiB"
  }

  /// Reads the folders `index0`, `index1`… of a core, as Linux lays them out; instruction caches are left out.
  static func ofFirstCore(in folder: String) -> [CPUCache] {
    var caches: [CPUCache] = []
    for index in 0..<16 {
      let path = "\(folder)/index\(index)"
      guard let level = SystemFiles.text(path + "/level").flatMap(Int.init) else { break }
      guard let kind = SystemFiles.text(path + "/type").flatMap(Kind.init) else { continue }
      let size = SystemFiles.text(path + "/size").flatMap(bytes)
      caches.append(CPUCache(level: level, kind: kind, bytes: size))
    }
    return caches
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
