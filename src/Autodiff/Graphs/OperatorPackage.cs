using System.Security.Cryptography;
using System.Text;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared;

namespace Convoy.Autodiff.Graphs;

// Bytes of a package: "CVYO" | version 1 byte | name length 1 byte | name, UTF-8 | graph (GraphCodec) | SHA-256 of all
// before.

/// <summary>
/// An operator of a user as data: its formula in operators of the table, with its operands "x0", "x1", .. and its
/// results "y0", .. as a graph. It holds no code, so it is loaded without trust, and is applied to eager variables and
/// in graphs; its derivatives are those of its formula.
/// </summary>
public sealed class OperatorPackage
{
    private const byte Version = 1;
    private static ReadOnlySpan<byte> Magic => "CVYO"u8;

    private OperatorPackage(string name, Graph graph)
    {
        (Name, Graph) = (name, graph);
    }

    /// <summary>The operator's name, at most 255 bytes of UTF-8 and none of the table's.</summary>
    public string Name { get; }
    /// <summary>The formula.</summary>
    public Graph Graph { get; }

    /// <summary>Captures a formula.</summary>
    /// <param name="name">At most 255 bytes.</param>
    /// <param name="operands">Types of the operands; a dimension that follows the batch takes any number of
    /// samples.</param>
    /// <param name="formula">Written in operators of the table.</param>
    public static OperatorPackage Of(
        string name, IReadOnlyList<TensorType> operands, Func<IReadOnlyList<Value>, IReadOnlyList<Value>> formula)
    {
        CheckName(name);
        var builder = new GraphBuilder();
        Value[] x = [.. operands.Select((t, i) => builder.Input($"x{i}", t.DType, t.Dims.AsSpan()))];
        var results = formula(x);
        for (var i = 0; i < results.Count; i++) builder.Output($"y{i}", results[i]);
        return Checked(name, builder.Build());
    }

    /// <summary>"CVYO", version, name, graph, and the SHA-256 of all that.</summary>
    public byte[] Encode()
    {
        using var bytes = new MemoryStream();
        bytes.Write(Magic);
        bytes.WriteByte(Version);
        var name = Encoding.UTF8.GetBytes(Name);
        bytes.WriteByte((byte)name.Length);
        bytes.Write(name);
        bytes.Write(GraphCodec.Encode(Graph));
        var body = bytes.ToArray();
        return [.. body, .. SHA256.HashData(body)];
    }

    /// <summary>Reads what a stranger sent: the sum is checked first, then the graph is verified.</summary>
    public static OperatorPackage Decode(ReadOnlySpan<byte> bytes)
    {
        const int Head = 6;
        if (bytes.Length < Head + SHA256.HashSizeInBytes || !bytes[..4].SequenceEqual(Magic))
            throw new GraphFormatException("operator package: does not start with CVYO, or ends too early");
        if (bytes[4] != Version)
            throw new GraphFormatException(
                $"operator package: version {bytes[4]} is not known (this build reads {Version})");
        var body = bytes[..^SHA256.HashSizeInBytes];
        if (!SHA256.HashData(body).AsSpan().SequenceEqual(bytes[body.Length..]))
            throw new GraphFormatException(
                "operator package: its SHA-256 differs: it was damaged or cut; fetch it again");
        var end = Head + bytes[5];
        if (end > body.Length) throw new GraphFormatException("operator package: its name does not fit");
        var name = Encoding.UTF8.GetString(body[Head..end]);
        return Checked(name, GraphCodec.Decode(body[end..]));
    }

    /// <summary>Applies the formula where the operands are: at once, or as nodes of their graph.</summary>
    public IReadOnlyList<Value> Apply(params IReadOnlyList<Value> operands)
    {
        if (operands.Count == 0 || operands.Count != Graph.Inputs.Length)
            throw new ShapeException($"{Name}: takes {Graph.Inputs.Length} operands, not {operands.Count}");
        var sample = Sample(operands);
        var level = operands.Max(v => v.Builder.Level);
        var builder = operands.First(v => v.Builder.Level == level).Builder;
        var values = new Value[Graph.Nodes.Length][];
        var next = 0;
        foreach (var node in Graph.Nodes)
        {
            if (node.Op == OpTable.Input) values[node.Id] = [operands[next++]];
            else
            {
                var attributes = node.Attributes;
                if (attributes.Has("dims"))
                    attributes = attributes.With("dims", attributes.Dims("dims").Select(d => At(d, sample)).ToArray());
                values[node.Id] = builder.Apply(node.Op, attributes,
                    [.. node.Inputs.Select(i => values[i.Node][i.Output])]);
            }
        }

        return [.. Graph.Outputs.Select(o => values[o.Value.Node][o.Value.Output])];
    }

    // What one sample of the package is in the operands: a number of rows, or a multiple of their own batch.
    private Dim Sample(IReadOnlyList<Value> operands)
    {
        Dim? sample = null;
        for (var i = 0; i < operands.Count; i++)
        {
            var (wanted, given) = (Graph.Inputs[i].Type, operands[i].Type);
            var fits = given.DType == wanted.DType && given.Rank == wanted.Rank;
            for (var axis = 0; fits && axis < wanted.Rank; axis++)
            {
                if (!wanted[axis].PerSample) fits = given[axis] == wanted[axis];
                else if (wanted[axis].Size == 0 || given[axis].Size % wanted[axis].Size != 0) fits = false;
                else
                {
                    var one = given[axis] with { Size = given[axis].Size / wanted[axis].Size };
                    fits = (sample ??= one) == one;
                }
            }

            if (!fits) throw new ShapeException($"{Name}: operand {i} is {given}, not {wanted}");
        }

        return sample ?? new Dim(0);
    }

    private static Dim At(Dim dim, Dim sample) =>
        dim.PerSample ? sample with { Size = checked(dim.Size * sample.Size) } : dim;

    private static OperatorPackage Checked(string name, Graph graph)
    {
        CheckName(name);
        if (graph.Parameters.Length > 0)
            throw new GraphFormatException(
                $"operator package {name}: an operator has no parameters of its own: make them operands");
        if (graph.Outputs.Length == 0) throw new GraphFormatException($"operator package {name}: it has no result");
        for (var i = 0; i < graph.Inputs.Length; i++)
            if (graph.Inputs[i].Name != $"x{i}")
                throw new GraphFormatException($"operator package {name}: operand {i} is named {graph.Inputs[i].Name}");
        return new OperatorPackage(name, graph);
    }

    private static void CheckName(string name)
    {
        if (name.Length == 0 || Encoding.UTF8.GetByteCount(name) > byte.MaxValue || name.Any(char.IsControl))
            throw new GraphFormatException("operator package: its name is empty, too long, or not for reading");
        if (OpTable.Find(name) is not null)
            throw new GraphFormatException(
                $"operator package {name}: an operator of the table has this name; take another");
    }
}

/// <summary>Packages by name: from bytes to operators that can be applied.</summary>
public sealed class OperatorLibrary
{
    private readonly SortedDictionary<string, OperatorPackage> _packages = new(StringComparer.Ordinal);

    /// <summary>Of all packages, sorted.</summary>
    public IEnumerable<string> Names => _packages.Keys;

    /// <summary>Takes a package in and returns it.</summary>
    /// <exception cref="GraphException">Another one has its name.</exception>
    public OperatorPackage Add(OperatorPackage package) => _packages.TryAdd(package.Name, package) ? package
        : throw new GraphException($"two operator packages are named {package.Name}");

    /// <summary>Reads a package and adds it.</summary>
    public OperatorPackage Load(ReadOnlySpan<byte> bytes) => Add(OperatorPackage.Decode(bytes));

    /// <summary>The package of a name.</summary>
    /// <exception cref="GraphException">There is none; the message lists those there are.</exception>
    public OperatorPackage this[string name] => _packages.TryGetValue(name, out var package) ? package
        : throw new GraphException(
            $"no operator package is named {name}; there are {string.Join(", ", _packages.Keys)}");
}
