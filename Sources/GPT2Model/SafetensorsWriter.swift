import Foundation

/// Writes a checkpoint as `.safetensors`: to a temporary file first, then renamed, so that a reader never sees
/// half of it.
enum SafetensorsWriter {
  /// - Parameter tensors: the values of `configuration.parameters`, in their order, handed to `body` one at a
  ///   time.
  static func write(
    _ configuration: Configuration, metadata: [String: String], to path: String,
    filling body: (UnsafeMutableBufferPointer<Float>, Int) -> Void
  ) throws(ModelError) {
    let header = header(of: configuration, metadata: metadata)
    let bytes = header.count + configuration.parameterCount * MemoryLayout<Float>.stride
    // A name of its own: another writer of the same path must not cut this one's mapping short.
    let temporary = "\(path).\(getpid())-\(UInt64.random(in: 0 ... .max)).partial"
    let descriptor = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw .unwritable(path: path, reason: String(cString: strerror(errno)))
    }
    var isFinished = false
    defer {
      close(descriptor)
      if !isFinished { unlink(temporary) }
    }
    let reserved = reserve(bytes, of: descriptor)
    guard reserved == 0 else {
      throw .unwritable(path: path, reason: String(cString: strerror(reserved)))
    }
    guard
      let base = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
      base != MAP_FAILED
    else { throw .unwritable(path: path, reason: String(cString: strerror(errno))) }
    header.withUnsafeBytes { base.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    var offset = header.count
    for (index, parameter) in configuration.parameters.enumerated() {
      let start = (base + offset).bindMemory(to: Float.self, capacity: parameter.count)
      body(UnsafeMutableBufferPointer(start: start, count: parameter.count), index)
      offset += parameter.count * MemoryLayout<Float>.stride
    }
    munmap(base, bytes)
    guard rename(temporary, path) == 0 else {
      throw .unwritable(path: path, reason: String(cString: strerror(errno)))
    }
    isFinished = true
  }

  /// Reserves the file's blocks up front: a full disk is an error here, not a signal while the mapping is
  /// filled. Returns an errno, 0 for success.
  private static func reserve(_ bytes: Int, of descriptor: Int32) -> Int32 {
    #if canImport(Darwin)
      return ftruncate(descriptor, off_t(bytes)) == 0 ? 0 : errno
    #else
      return posix_fallocate(descriptor, 0, off_t(bytes))
    #endif
  }

  /// The length and the JSON, padded with spaces so that the data begins at a multiple of 64 bytes.
  private static func header(of configuration: Configuration, metadata: [String: String]) -> [UInt8] {
    var fields: [String] = []
    let pairs = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
    fields.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    var offset = 0
    for parameter in configuration.parameters {
      let end = offset + parameter.count * MemoryLayout<Float>.stride
      let shape = parameter.shape.map(String.init).joined(separator: ",")
      fields.append(
        "\"\(parameter.name)\":{\"dtype\":\"F32\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
    var json = Array("{\(fields.joined(separator: ","))}".utf8)
    while (json.count + 8) % 64 != 0 { json.append(UInt8(ascii: " ")) }
    return withUnsafeBytes(of: UInt64(json.count).littleEndian, Array.init) + json
  }

  private static func quoted(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { scalar -> String in
      switch scalar {
      case "\"": "\\\""
      case "\\": "\\\\"
      case _ where scalar.value < 0x20:
        "\\u" + String(repeating: "0", count: 4 - String(scalar.value, radix: 16).count)
          + String(scalar.value, radix: 16)
      default: String(scalar)
      }
    }
    return "\"\(escaped.joined())\""
  }
}

extension Checkpoint {
  /// Writes a Hugging Face folder, `config.json` and `model.safetensors`, with tokenizer files copied by the
  /// caller; or, where `path` ends in `.safetensors`, that one file, whose metadata then names what no
  /// tensor shows: `n_head` and `layer_norm_epsilon`.
  public func exportSafetensors(to path: String) throws(ModelError) {
    if path.hasSuffix(".safetensors") {
      try writeSafetensors(to: path)
      return
    }
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try writeSafetensors(to: path + "/model.safetensors")
      let json = try JSONSerialization.data(
        withJSONObject: configuration.huggingFaceFields, options: [.prettyPrinted, .sortedKeys])
      try json.write(to: URL(fileURLWithPath: path + "/config.json"), options: .atomic)
    } catch let error as ModelError {
      throw error
    } catch {
      throw .unwritable(path: path, reason: (error as NSError).localizedDescription)
    }
  }

  private func writeSafetensors(to path: String) throws(ModelError) {
    let metadata = [
      "format": "pt", "n_head": "\(configuration.heads)",
      "layer_norm_epsilon": "\(configuration.layerNormEpsilon)",
    ]
    try SafetensorsWriter.write(configuration, metadata: metadata, to: path) { destination, index in
      _ = destination.update(fromContentsOf: tensor(at: index))
    }
  }
}
