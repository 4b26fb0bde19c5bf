import NumberFormats

/// A matrix (outputs, inputs) as blocks; nil where a weight was refused.
public func quantized(_ rows: [Float], outputs: Int, as format: BlockFormat) -> [UInt8]? {
  let inputs = rows.count / outputs
  var bytes = [UInt8](repeating: 0xAA, count: outputs * BlockFormat.count(inputs: inputs) * format.bytes + 1)
  let refused = bytes.withUnsafeMutableBytes {
    format.quantize(linear: rows, outputs: outputs, inputs: inputs, to: $0.baseAddress!)
  }
  guard refused == nil else { return nil }
  expectEqual(bytes.removeLast(), 0xAA, "a byte was written after the blocks")
  return bytes
}

/// All values of some blocks.
public func widened(_ blocks: [UInt8], as format: BlockFormat) -> [Float] {
  let count = blocks.count / format.bytes
  return [Float](unsafeUninitializedCapacity: count * BlockFormat.length) { values, initialized in
    blocks.withUnsafeBytes { format.widen($0.baseAddress!, count: count, to: values.baseAddress!) }
    initialized = count * BlockFormat.length
  }
}

/// A number's bytes, as files have them.
public func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian, Array.init)
}
