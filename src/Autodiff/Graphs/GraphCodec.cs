using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared;
using Convoy.Shared.Errors;

namespace Convoy.Autodiff.Graphs;

/// <summary>Bytes that are not a graph, with the offset where it was seen.</summary>
public sealed class GraphFormatException(string message) : ConvoyException(ErrorCode.GraphFormat, message);

// Bytes of a graph, little-endian, counts and numbers as LEB128 unless said otherwise:
//   "CVYG" | version 1 byte | node count | node... | output count | output...
//   node    name | operator name | attribute count | attribute... | input count | (node, output)...
//   attr    name | kind 1 byte | 1: zigzag number | 2: 8 bytes IEEE | 3: text | 4: count, zigzag... | 5: count,
// (zigzag, 0/1 or 2 and its text)... | 6: text of more than 512 bytes
//   output  name | node | output
// Types are not sent: the decoder infers them, so a graph that decodes is a graph that verifies. Equal graphs have
// equal bytes, and the SHA-256 of the bytes names the graph.
/// <summary>Graphs as bytes, and back: what travels to workers and is named by its SHA-256.</summary>
public static class GraphCodec
{
    private const byte Version = 1;
    internal static ReadOnlySpan<byte> Magic => "CVYG"u8;
    /// <summary>Bytes of the longest graph that is read: 8 MiB.</summary>
    public const int BytesMax = 8 << 20;

    /// <summary>The bytes of a graph; equal graphs have equal bytes.</summary>
    public static byte[] Encode(Graph graph)
    {
        var writer = new GraphWriter();
        writer.Raw(Magic);
        writer.Byte(Version);
        writer.Count(graph.Nodes.Length);
        foreach (var node in graph.Nodes) EncodeNode(writer, node);
        writer.Count(graph.Outputs.Length);
        foreach (var output in graph.Outputs)
        {
            writer.Text(output.Name);
            writer.Reference(output.Value);
        }

        return writer.ToArray();
    }

    /// <summary>Reads what a stranger sent: sizes are checked before memory is asked for, and the graph is
    /// verified.</summary>
    /// <exception cref="GraphFormatException">The bytes are no graph, or one that breaks a rule.</exception>
    public static Graph Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > BytesMax) throw new GraphFormatException($"a graph has at most {BytesMax} bytes");
        var reader = new GraphReader(bytes);
        if (!reader.Raw(4).SequenceEqual(Magic)) throw reader.Wrong("does not start with CVYG");
        var version = reader.Byte();
        if (version != Version) throw reader.Wrong($"version {version} is not known (this build reads {Version})");

        var nodes = ImmutableArray.CreateBuilder<GraphNode>();
        var count = reader.Count(Limits.GraphNodesMax);
        for (var id = 0; id < count; id++) nodes.Add(DecodeNode(ref reader, id, nodes));
        var outputs = ImmutableArray.CreateBuilder<GraphOutput>();
        var outputCount = reader.Count(1_024);
        for (var i = 0; i < outputCount; i++) outputs.Add(new GraphOutput(reader.Text(), reader.Reference()));
        if (!reader.AtEnd) throw reader.Wrong("goes on after its end");

        var graph = new Graph(nodes.ToImmutable(), outputs.ToImmutable());
        if (GraphVerifier.FirstFault(graph) is { } fault) throw reader.Wrong(fault);
        return graph;
    }

    /// <summary>The name of a graph: SHA-256 of its bytes, 32 bytes.</summary>
    public static byte[] Sha256(Graph graph) => SHA256.HashData(Encode(graph));

    private static void EncodeNode(GraphWriter writer, GraphNode node)
    {
        writer.Text(node.Name);
        writer.Text(node.Op.Name);
        writer.Count(node.Attributes.Entries.Length);
        foreach (var (name, value) in node.Attributes.Entries) writer.Attribute(name, value);
        writer.Count(node.Inputs.Length);
        foreach (var input in node.Inputs) writer.Reference(input);
    }

    private static GraphNode DecodeNode(ref GraphReader reader, int id, ImmutableArray<GraphNode>.Builder nodes)
    {
        var name = reader.Text();
        var opName = reader.Text();
        var op = OpTable.Find(opName) ?? throw reader.Wrong($"node {id} has the unknown operator \"{opName}\"");
        if (op is CompositeOp) throw reader.Wrong($"node {id} is {opName}, which is written out where it is applied");
        var attributes = Attributes.None;
        var attributeCount = reader.Count(32);
        for (var i = 0; i < attributeCount; i++)
        {
            var (key, value) = reader.Attribute();
            if (attributes.Has(key)) throw reader.Wrong($"node {id} has the attribute {key} twice");
            attributes = attributes.With(key, value);
        }

        var inputs = new ValueRef[reader.Count(4_096)];
        var types = new TensorType[inputs.Length];
        for (var i = 0; i < inputs.Length; i++)
        {
            var at = inputs[i] = reader.Reference();
            if ((uint)at.Node >= (uint)id || (uint)at.Output >= (uint)nodes[at.Node].Types.Length)
                throw reader.Wrong($"node {id} reads {at}, which does not come before it");
            types[i] = nodes[at.Node].Types[at.Output];
        }

        return new GraphNode(id, name, op, attributes, [.. inputs], Infer(ref reader, id, op, attributes, types));
    }

    private static ImmutableArray<TensorType> Infer(
        ref GraphReader reader, int id, Op op, Attributes attributes, TensorType[] types)
    {
        try
        {
            return [.. op.Infer(attributes, types)];
        }
        catch (Exception e) when (e is ShapeException or OverflowException)
        {
            throw reader.Wrong($"node {id}: {e.Message}");
        }
    }
}
