import Files
import Foundation

/// Token ids in a file that is mapped: there may be more of them than memory holds.
public struct TokenList: Sendable {
  private let storage: Storage
  private let places: Range<Int>

  private init(_ storage: Storage, _ places: Range<Int>) { (self.storage, self.places) = (storage, places) }

  public var count: Int { places.count }

  /// Some of the ids.
  public func ids(_ range: Range<Int>) -> [Int32] {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    let first = places.lowerBound + range.lowerBound
    return [Int32](unsafeUninitializedCapacity: range.count) { ids, count in
      for index in 0..<range.count { ids[index] = Int32(truncatingIfNeeded: storage.value(first + index)) }
      count = range.count
    }
  }

  /// A part of the list.
  public subscript(_ range: Range<Int>) -> TokenList {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    return TokenList(
      storage, places.lowerBound + range.lowerBound..<places.lowerBound + range.upperBound)
  }

  /// A hash of the ids in their order, whatever numbers the file has them in.
  public var digest: UInt64 {
    places.reduce(UInt64(count)) { hash, place in
      fold((hash ^ UInt64(truncatingIfNeeded: storage.value(place))) &+ 1, 0x9E37_79B9_7F4A_7C15)
    }
  }

  /// Whole numbers in a file.
  private struct Storage: Sendable {
    /// Nil for none.
    let mapping: Mapping?
    /// Bytes from the start of the file.
    let start: Int
    let bytes: Int
    let isSigned: Bool

    @inline(__always)
    func value(_ index: Int) -> Int {
      guard let base = mapping?.base else { return 0 }
      let place = start &+ index &* bytes
      switch bytes {
      case 1:
        let bits = base.load(fromByteOffset: place, as: UInt8.self)
        return isSigned ? Int(Int8(bitPattern: bits)) : Int(bits)
      case 2:
        let bits = UInt16(littleEndian: base.loadUnaligned(fromByteOffset: place, as: UInt16.self))
        return isSigned ? Int(Int16(bitPattern: bits)) : Int(bits)
      case 4:
        let bits = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: place, as: UInt32.self))
        return isSigned ? Int(Int32(bitPattern: bits)) : Int(bits)
      default:
        // An unsigned number that is too large for Int is a negative one here, and no id.
        return Int(Int64(littleEndian: base.loadUnaligned(fromByteOffset: place, as: Int64.self)))
      }
    }
  }
}

extension TokenList {
  /// NumPy's names of whole numbers, little-endian.
  private static let types: [String: (bytes: Int, isSigned: Bool)] = [
    "|i1": (1, true), "|u1": (1, false), "<i2": (2, true), "<u2": (2, false), "<i4": (4, true),
    "<u4": (4, false), "<i8": (8, true), "<u8": (8, false),
  ]

  /// Whether a file is one of NumPy's, by its first bytes.
  public static func isNPY(_ path: String) -> Bool {
    guard (try? TextReader.size(of: path)) != nil, let handle = FileHandle(forReadingAtPath: path),
      let start = try? handle.read(upToCount: 6)
    else { return false }
    return start.elementsEqual([0x93] + Array("NUMPY".utf8))
  }

  /// Opens a one-dimensional `.npy` array of whole numbers, and looks at each.
  /// - Throws: `ModelError`, also for a number that is not below `vocabulary`.
  public init(npy path: String, vocabulary: Int) throws(ModelError) {
    let mapping = try Mapping(readingFile: path)
    let header = try NPYHeader(Array(mapping.bytes.prefix(NPYHeader.longest))[...], path: path)
    guard let type = Self.types[header.type] else {
      throw header.refusal("descr", found: header.type, expected: "whole numbers, for example '<u2' or '<i4'")
    }
    try header.expect(header.shape.count == 1, "shape", found: "\(header.shape)", expected: "one dimension")
    try header.expectData(mapping.count, valueBytes: type.bytes)
    let storage = Storage(
      mapping: mapping, start: header.dataStart, bytes: type.bytes, isSigned: type.isSigned)
    self.init(storage, 0..<header.shape[0])
    let limit = UInt(vocabulary)
    if let wrong = places.first(where: { UInt(bitPattern: storage.value($0)) >= limit }) {
      throw header.refusal(
        "[\(wrong)]", found: "\(storage.value(wrong))",
        expected: "a token below the vocabulary's \(vocabulary)")
    }
  }

  /// Keeps ids in a temporary file, which no folder names and which goes when the list goes.
  ///
  /// - Parameters:
  ///   - folder: on whose disk the file is.
  ///   - vocabulary: above all ids; up to 65,536 an id takes two bytes, else four.
  ///   - next: hands over the next ids; nil at the end.
  /// - Throws: `ModelError` for a full disk, and what `next` throws.
  public init(inFolder folder: String, vocabulary: Int, _ next: () throws -> [Int]?) throws {
    let path = folder + "/.tokens.\(UUID().uuidString)"
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    func refusal(_ number: Int32) -> ModelError {
      .unwritable(path: folder, reason: "\(systemReason(number).lowercased()), for the tokens of the text")
    }
    guard descriptor >= 0 else { throw refusal(errno) }
    defer { close(descriptor) }
    unlink(path)
    let bytes = vocabulary <= 1 << 16 ? 2 : 4
    var count = 0
    while let ids = try next() {
      precondition(ids.allSatisfy { (0..<vocabulary).contains($0) })
      let failure =
        bytes == 2
        ? ids.map { UInt16($0).littleEndian }.withUnsafeBytes { writeAll(descriptor, $0) }
        : ids.map { UInt32($0).littleEndian }.withUnsafeBytes { writeAll(descriptor, $0) }
      guard failure == 0 else { throw refusal(failure) }
      count += ids.count
    }
    let mapping = try count > 0 ? Mapping(reading: descriptor, of: folder) : nil
    self.init(Storage(mapping: mapping, start: 0, bytes: bytes, isSigned: false), 0..<count)
  }
}
