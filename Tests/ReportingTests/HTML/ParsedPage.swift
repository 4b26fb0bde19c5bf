import Foundation
import TestSupport
import Testing

@testable import Record
@testable import Reporting

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// A page read by an XML parser that knows nothing of HTML: what it accepts is well-formed.
final class ParsedPage {
  final class Element {
    let name: String
    let attributes: [String: String]
    /// In the order of the page.
    var contents: [Node] = []

    init(_ name: String, _ attributes: [String: String]) {
      self.name = name
      self.attributes = attributes
    }

    var children: [Element] {
      contents.compactMap { if case .element(let child) = $0 { child } else { nil } }
    }

    /// This element and all that are in it.
    var all: [Element] { [self] + children.flatMap(\.all) }

    var text: String {
      contents.map {
        switch $0 {
        case .text(let text): text
        case .element(let child): child.text
        }
      }.joined()
    }
  }

  enum Node {
    case text(String)
    case element(Element)
  }

  let root: Element

  /// - Throws: the parser's error, with its line.
  init(_ text: String) throws {
    let builder = Builder()
    let parser = XMLParser(data: Data(text.utf8))
    parser.delegate = builder
    guard parser.parse(), let root = builder.root else {
      throw Malformed(line: parser.lineNumber, reason: "\(parser.parserError as Any)")
    }
    self.root = root
  }

  convenience init(_ record: Record) throws { try self.init(HTMLReport(record).text) }

  func all(_ name: String) -> [Element] { root.all.filter { $0.name == name } }

  func section(_ id: String) -> Element? { all("section").first { $0.attributes["id"] == id } }

  struct Malformed: Error {
    let line: Int
    let reason: String
  }

  private final class Builder: NSObject, XMLParserDelegate {
    var root: Element?
    private var open: [Element] = []

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) {
      let element = Element(name, attributes)
      open.last?.contents.append(.element(element))
      if root == nil { root = element }
      open.append(element)
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) { open.last?.contents.append(.text(text)) }

    func parser(
      _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
    ) {
      open.removeLast()
    }
  }
}
