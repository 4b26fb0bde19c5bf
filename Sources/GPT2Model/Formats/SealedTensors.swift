import Foundation

/// A `.safetensors` file of a model's parameters and of more, whose last tensor is a digest of all bytes before it: what
/// is damaged is not taken for what was written.
public struct SealedTensors: FileReader, @unchecked Sendable {
  public let path: String
  private let mapping: Mapping
  private let header: SafetensorsHeader

  private static let seal = NewTensor("digest", .bytes, shape: [MemoryLayout<UInt64>.stride])

  /// Opens a file that `write` made.
  /// - Throws: `ModelError` for one that is damaged, or is another.
  public init(_ path: String) throws(ModelError) {
    self.path = path
    mapping = try Mapping(readingFile: path)
    header = try SafetensorsHeader(mapping.bytes, path: path)
    let seal = try place(of: Self.seal)
    try expect(
      seal.upperBound == mapping.count, tensor: Self.seal.name, "its place", found: "byte \(seal.lowerBound)",
      expected: "the file's end")
    let found = Self.digest(of: mapping.bytes[..<seal.lowerBound])
    let written = UInt64(
      littleEndian: mapping.base.loadUnaligned(fromByteOffset: seal.lowerBound, as: UInt64.self))
    try expect(
      found == written, tensor: Self.seal.name, "the value", found: String(written, radix: 16),
      expected: "\(String(found, radix: 16)), which the file's bytes make: it is damaged")
  }

  /// The parameters, as a model with the shape that the file says.
  public func model(named name: String) throws(ModelError) -> Checkpoint {
    let contents = SafetensorsContents(path, mapping, header)
    return try Checkpoint(contents, configuration: contents.inferConfiguration(), name: name)
  }

  /// Copies a tensor's values.
  /// - Parameter target: of the tensor's size.
  /// - Throws: `ModelError` for a tensor that is missing, or of another type or shape.
  public func read(_ tensor: NewTensor, into target: UnsafeMutableRawBufferPointer) throws(ModelError) {
    precondition(target.count == tensor.byteCount)
    target.copyMemory(from: UnsafeRawBufferPointer(rebasing: mapping.bytes[try place(of: tensor)]))
  }

  /// The bytes of a tensor of bytes, of any length.
  /// - Throws: `ModelError` for a tensor that is missing, or of another type.
  public func bytes(of name: String) throws(ModelError) -> Data {
    guard let entry = header.entries[name] else { throw .missingTensor(path: path, name: name) }
    let tensor = NewTensor(name, .bytes, shape: [entry.offsets.count])
    return Data(UnsafeRawBufferPointer(rebasing: mapping.bytes[try place(of: tensor)]))
  }

  private func place(of tensor: NewTensor) throws(ModelError) -> Range<Int> {
    guard let entry = header.entries[tensor.name] else {
      throw .missingTensor(path: path, name: tensor.name)
    }
    try expect(
      entry.dtype == tensor.numbers.rawValue, tensor: tensor.name, "dtype", found: entry.dtype,
      expected: tensor.numbers.rawValue)
    try expect(
      entry.shape == tensor.shape, tensor: tensor.name, "shape", found: "\(entry.shape)",
      expected: "\(tensor.shape)")
    return header.dataStart + entry.offsets.lowerBound..<header.dataStart + entry.offsets.upperBound
  }

  /// Writes a model's parameters and `more` after them, whole or not at all.
  ///
  /// - Parameters:
  ///   - parameters: fills those of the configuration, one at a time, in their order.
  ///   - body: fills the others, likewise.
  /// - Throws: `ModelError`, also for a full disk.
  public static func write(
    _ configuration: Configuration, _ more: [NewTensor], to path: String,
    filling parameters: (UnsafeMutableBufferPointer<Float>, Int) -> Void,
    _ body: (UnsafeMutableRawBufferPointer, Int) -> Void
  ) throws(ModelError) {
    let own = configuration.parameters.map { NewTensor($0.name, .float32, shape: $0.shape) }
    let metadata = configuration.safetensorsMetadata
    try SafetensorsWriter.write(own + more + [seal], metadata: metadata, to: path) { file, places in
      for (index, place) in places.dropLast().enumerated() {
        let target = UnsafeMutableRawBufferPointer(rebasing: file[place])
        if index < own.count {
          parameters(target.bindMemory(to: Float.self), index)
        } else {
          body(target, index - own.count)
        }
      }
      let end = places[own.count + more.count].lowerBound
      file.storeBytes(
        of: digest(of: UnsafeRawBufferPointer(file)[..<end]).littleEndian, toByteOffset: end, as: UInt64.self)
    }
  }

  private static func digest(of bytes: Slice<UnsafeRawBufferPointer>) -> UInt64 {
    byteHash(UnsafeRawBufferPointer(rebasing: bytes).bindMemory(to: UInt8.self))
  }
}
