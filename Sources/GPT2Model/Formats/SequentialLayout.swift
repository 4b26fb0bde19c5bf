/// Where a format that has its tensors one behind the other, and linear weights (out, in), puts each of them.
struct SequentialLayout {
  /// Of each of `configuration.parameters`, the first value, counted from the first of all.
  let places: [Int]
  /// Values in the file, padding among them.
  let count: Int

  /// - Parameters:
  ///   - order: every number of `configuration.parameters`, as the file has them.
  ///   - vocabularyPadding: rows behind the token embedding.
  init(of configuration: Configuration, order: some Sequence<Int>, vocabularyPadding: Int = 0) {
    let parameters = configuration.parameters
    var places = [Int](repeating: 0, count: parameters.count)
    var next = 0
    for index in order {
      places[index] = next
      next += parameters[index].count + (index == 0 ? vocabularyPadding * configuration.channels : 0)
    }
    (self.places, count) = (places, next)
  }

  /// The tensors in a file whose values begin at `start`, after its size was held against the layout.
  ///
  /// - Throws: `ModelError.field` for a file that is shorter or longer.
  func tensors(
    in mapping: Mapping, from start: Int, _ encoding: TensorEncoding, of configuration: Configuration,
    path: String
  ) throws(ModelError) -> [StoredTensor] {
    let size = start + encoding.bytes(of: count)
    guard mapping.count == size else {
      let c = configuration
      throw .field(
        path: path, field: "size", found: "\(mapping.count) bytes",
        expected: "\(size) for a header of \(c.layers) layers, \(c.heads) heads, \(c.channels) channels, "
          + "vocabulary \(c.vocabulary), context \(c.context)")
    }
    return zip(places, configuration.parameters).map { place, parameter in
      StoredTensor(
        mapping: mapping, offset: start + encoding.bytes(of: place), encoding: encoding,
        order: parameter.role == .linearWeight ? .outputsFirst : .inputsFirst)
    }
  }
}

extension Checkpoint {
  /// Writes a header and all tensors, float32, in a layout; padding is zeros.
  func write(_ layout: SequentialLayout, header: [Int32], to path: String) throws(ModelError) {
    let start = header.count * MemoryLayout<Int32>.stride
    let parameters = configuration.parameters
    try NewFile.write(start + layout.count * MemoryLayout<Float>.stride, to: path) { file in
      header.withUnsafeBytes { file.copyMemory(from: $0) }
      let values = UnsafeMutableRawBufferPointer(rebasing: file[start...]).bindMemory(to: Float.self)
      for (index, (place, parameter)) in zip(layout.places, parameters).enumerated() {
        read(
          index, into: UnsafeMutableBufferPointer(rebasing: values[place..<place + parameter.count]),
          order: .outputsFirst)
      }
    }
  }

  /// Refuses what a format without fields for it cannot hold.
  func refuseUnlessPlain(for format: String, at path: String) throws(ModelError) {
    guard configuration.tiesEmbeddings else {
      throw .unwritable(
        path: path, reason: "\(format) has no room for a matrix of the logits' own, and this model has one")
    }
    guard configuration.layerNormEpsilon == Configuration.defaultEpsilon else {
      throw .unwritable(
        path: path,
        reason:
          "\(format) has no field for layer_norm_epsilon, so it means \(Configuration.defaultEpsilon), and "
          + "this model's is \(configuration.layerNormEpsilon)")
    }
  }
}
