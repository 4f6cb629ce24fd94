using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Graphs;

// Bytes of a package, counts as LEB128 as in GraphCodec: "CVYO" | version 1 byte | name | setting count |
// (name, 8 bytes IEEE).. | bytes of the graph | graph (GraphCodec) | bytes of the gradient's graph, or 0 | that graph |
// SHA-256 of all before.

/// <summary>A number that an operator's formula reads, with the value that it has.</summary>
/// <param name="Name">Unique in the package.</param>
/// <param name="Value">Finite.</param>
public sealed record OperatorSetting(string Name, double Value);

/// <summary>What the gradient rule of a package sees.</summary>
/// <param name="Operands">The operands.</param>
/// <param name="Result">The operator's one result.</param>
/// <param name="Gradient">The gradient of the result.</param>
/// <param name="Settings">The package's settings.</param>
public sealed record PackageGradient(
    IReadOnlyList<Value> Operands, Value Result, Value Gradient, IReadOnlyList<Value> Settings);

/// <summary>
/// An operator of a user as data: its formula in operators of the table, with its operands "x0", "x1", .., its
/// settings "s0", .. and its results "y0", .. as a graph, and if it has a gradient of its own, that rule as a second
/// graph. It holds no code, so it is loaded without trust, and is applied to eager variables and in graphs alike: its
/// formula is written out, and a rule of its own travels beside the result (operator packaged).
/// </summary>
public sealed class OperatorPackage
{
    private const byte Version = 2;
    private const int SettingsMax = 64;
    private const int NameMax = 255;
    private readonly Attributes? _rule;

    private OperatorPackage(string name, Graph graph, Graph? gradient, ImmutableArray<OperatorSetting> settings)
    {
        (Name, Graph, GradientGraph, Settings) = (name, graph, gradient, settings);
        if (gradient is not null) _rule = Packaged.AttributesOf(this);
    }

    /// <summary>The operator's name, at most 255 bytes of UTF-8 and none of the table's.</summary>
    public string Name { get; }
    /// <summary>The formula.</summary>
    public Graph Graph { get; }
    /// <summary>The gradient rule, of operands "x0", .., result "y0", its gradient "d0" and settings "s0", .., to "g0",
    /// ..; null: that of the formula.</summary>
    public Graph? GradientGraph { get; }
    /// <summary>Numbers that the formula reads, in the order of its inputs "s0", "s1", ...</summary>
    public ImmutableArray<OperatorSetting> Settings { get; }

    /// <summary>How many operands it takes.</summary>
    public int Operands => Graph.Inputs.Length - Settings.Length;

    /// <summary>Captures a formula.</summary>
    /// <param name="name">At most 255 bytes.</param>
    /// <param name="operands">Types of the operands; a dimension that follows the batch takes any number of
    /// samples.</param>
    /// <param name="formula">Written in operators of the table.</param>
    public static OperatorPackage Of(
        string name, IReadOnlyList<TensorType> operands, Func<IReadOnlyList<Value>, IReadOnlyList<Value>> formula) =>
        Of(name, operands, [], (x, _) => formula(x));

    /// <summary>Captures a formula that reads settings: one package, a family of operators.</summary>
    /// <param name="name">At most 255 bytes.</param>
    /// <param name="operands">Types of the operands.</param>
    /// <param name="settings">At most 64; scalars of the first operand's element type.</param>
    /// <param name="formula">Of operands and settings, written in operators of the table.</param>
    public static OperatorPackage Of(
        string name, IReadOnlyList<TensorType> operands, IReadOnlyList<OperatorSetting> settings,
        Func<IReadOnlyList<Value>, IReadOnlyList<Value>, IReadOnlyList<Value>> formula)
    {
        CheckName(name);
        if (settings.Count > 0 && operands.Count == 0)
            throw new GraphFormatException($"operator package {name}: settings have the type of an operand: it has none");
        var builder = new GraphBuilder();
        Value[] x = [.. operands.Select((t, i) => builder.Input($"x{i}", t.DType, t.Dims.AsSpan()))];
        Value[] s = [.. settings.Select((_, i) => builder.Input($"s{i}", operands[0].DType))];
        var results = Captured(name, () => formula(x, s));
        for (var i = 0; i < results.Count; i++) builder.Output($"y{i}", results[i]);
        return Checked(name, builder.Build(), null, [.. settings]);
    }

    /// <summary>The same operator with a gradient rule of its author, which is captured too; it has one
    /// result.</summary>
    /// <param name="rule">The gradient of each operand, of its type, written in operators of the table.</param>
    public OperatorPackage WithGradient(Func<PackageGradient, IReadOnlyList<Value>> rule)
    {
        if (Graph.Outputs.Length != 1)
            throw new GraphFormatException($"operator package {Name}: a gradient rule is for one result");
        var builder = new GraphBuilder();
        Value Input(string name, TensorType type) => builder.Input(name, type.DType, type.Dims.AsSpan());
        var type = Graph.TypeOf(Graph.Outputs[0].Value);
        Value[] x = [.. Graph.Inputs.Take(Operands).Select(n => Input(n.Name, n.Type))];
        var (y, d) = (Input("y0", type), Input("d0", type));
        Value[] s = [.. Graph.Inputs.Skip(Operands).Select(n => Input(n.Name, n.Type))];
        var gradients = Captured(Name, () => rule(new PackageGradient(x, y, d, s)));
        for (var i = 0; i < gradients.Count; i++) builder.Output($"g{i}", gradients[i]);
        return Checked(Name, Graph, builder.Build(), Settings);
    }

    /// <summary>The same operator with other settings; those that are not named keep their values.</summary>
    /// <exception cref="GraphException">The package has no such setting.</exception>
    public OperatorPackage With(params IReadOnlyList<OperatorSetting> settings)
    {
        var all = Settings.ToBuilder();
        foreach (var setting in settings)
        {
            var at = all.ToList().FindIndex(s => s.Name == setting.Name);
            if (at < 0)
                throw new GraphException($"operator package {Name}: has no setting {setting.Name}; "
                    + (all.Count == 0 ? "it has none" : $"there are {string.Join(", ", all.Select(s => s.Name))}"));
            all[at] = setting;
        }

        return Checked(Name, Graph, GradientGraph, all.ToImmutable());
    }

    /// <summary>Head, settings, graphs, and the SHA-256 of all that.</summary>
    public byte[] Encode()
    {
        var writer = new GraphWriter();
        writer.Raw(Magic);
        writer.Byte(Version);
        writer.Text(Name);
        writer.Count(Settings.Length);
        foreach (var setting in Settings) writer.Attribute(setting.Name, setting.Value);
        foreach (var graph in new[] { Graph, GradientGraph })
        {
            var bytes = graph is null ? [] : GraphCodec.Encode(graph);
            writer.Count(bytes.Length);
            writer.Raw(bytes);
        }

        var body = writer.ToArray();
        return [.. body, .. SHA256.HashData(body)];
    }

    /// <summary>Reads what a stranger sent: the sum is checked first, then the graphs are verified.</summary>
    public static OperatorPackage Decode(ReadOnlySpan<byte> bytes)
    {
        const int Head = 5;
        if (bytes.Length < Head + SHA256.HashSizeInBytes || !bytes[..4].SequenceEqual(Magic))
            throw new GraphFormatException("operator package: does not start with CVYO, or ends too early");
        if (bytes[4] != Version)
            throw new GraphFormatException(
                $"operator package: version {bytes[4]} is not known (this build reads {Version})");
        var body = bytes[..^SHA256.HashSizeInBytes];
        if (!SHA256.HashData(body).AsSpan().SequenceEqual(bytes[body.Length..]))
            throw new GraphFormatException(
                "operator package: its SHA-256 differs: it was damaged or cut; fetch it again");
        var reader = new GraphReader(body);
        reader.Raw(Head);
        var name = reader.Text();
        var settings = ImmutableArray.CreateBuilder<OperatorSetting>();
        for (var count = reader.Count(SettingsMax); settings.Count < count;)
        {
            var (setting, value) = reader.Attribute();
            settings.Add(value is double number ? new OperatorSetting(setting, number)
                : throw new GraphFormatException($"operator package {name}: setting {setting} is not a number"));
        }

        var graph = GraphCodec.Decode(reader.Raw(reader.Count(GraphCodec.BytesMax)));
        var length = reader.Count(GraphCodec.BytesMax);
        var gradient = length == 0 ? null : GraphCodec.Decode(reader.Raw(length));
        if (!reader.AtEnd) throw new GraphFormatException($"operator package {name}: bytes follow its end");
        return Checked(name, graph, gradient, settings.ToImmutable());
    }

    private static IReadOnlyList<Value> Captured(string name, Func<IReadOnlyList<Value>> formula)
    {
        try
        {
            return formula();
        }
        catch (InvalidCastException e)
        {
            throw new GraphFormatException($"operator package {name}: its formula looks at numbers, which a graph does "
                + $"not have yet; write it in operators ({e.Message})");
        }
    }

    private static ReadOnlySpan<byte> Magic => "CVYO"u8;

    /// <summary>Applies the formula where the operands are: at once, or as nodes of their graph.</summary>
    /// <exception cref="ShapeException">The operands are not of its types.</exception>
    public IReadOnlyList<Value> Apply(params IReadOnlyList<Value> operands)
    {
        if (operands.Count == 0 || operands.Count != Operands)
            throw new ShapeException($"{Name}: takes {Operands} operands, not {operands.Count}");
        Sample(Graph, operands);
        var builder = Highest(operands);
        if (_rule is null) return Run(builder, Graph, operands);
        // No gradient goes through the formula: on the tape it leaves nothing.
        Value result;
        using (GradientMode.Off()) result = Run(builder, Graph, operands)[0];
        return builder.Apply(OpTable.Packaged, _rule, [result, .. operands]);
    }

    /// <summary>The values of a graph of the package, whose first inputs are given; settings are constants.</summary>
    internal IReadOnlyList<Value> Run(Builder builder, Graph graph, IReadOnlyList<Value> inputs)
    {
        var sample = Sample(graph, inputs);
        var values = new Value[graph.Nodes.Length][];
        var next = 0;
        foreach (var node in graph.Nodes)
        {
            if (node.Op == OpTable.Input)
            {
                values[node.Id] = [next < inputs.Count ? inputs[next]
                    : builder.Full(Settings[next - inputs.Count].Value, node.Type)];
                next++;
            }
            else
            {
                var attributes = node.Attributes;
                if (attributes.Has("dims"))
                    attributes = attributes.With("dims", attributes.Dims("dims").Select(d => At(d, sample)).ToArray());
                values[node.Id] = builder.Apply(node.Op, attributes,
                    [.. node.Inputs.Select(i => values[i.Node][i.Output])]);
            }
        }

        return [.. graph.Outputs.Select(o => values[o.Value.Node][o.Value.Output])];
    }

    /// <summary>The operator of many samples, which lie along the first dimension of all operands and the
    /// result.</summary>
    internal OperatorPackage ForSamples(IReadOnlyList<TensorType> operands)
    {
        Value[] Each(Graph graph, IReadOnlyList<Value> all) => Vmap.Run(
            x => [.. Run(Highest(x), graph, x)], all, [.. all.Select(_ => (int?)0)], null);
        return Of(Name, operands, x => Each(Graph, x))
            .WithGradient(g => Each(GradientGraph!, [.. g.Operands, g.Result, g.Gradient]));
    }

    /// <summary>Types of the results for operands of these types.</summary>
    internal TensorType[] Infer(ReadOnlySpan<TensorType> operands)
    {
        var shapes = new ShapeBuilder();
        return [.. Run(shapes, Graph, [.. operands.ToArray().Select(shapes.Of)]).Select(v => v.Type)];
    }

    private static Builder Highest(IReadOnlyList<Value> values)
    {
        var level = values.Max(v => v.Builder.Level);
        return values.First(v => v.Builder.Level == level).Builder;
    }

    // What one sample of the package is in the operands: a number of rows, or a multiple of their own batch.
    private Dim Sample(Graph graph, IReadOnlyList<Value> operands)
    {
        Dim? sample = null;
        for (var i = 0; i < operands.Count; i++)
        {
            var (wanted, given) = (graph.Inputs[i].Type, operands[i].Type);
            var fits = given.DType == wanted.DType && given.Rank == wanted.Rank;
            for (var axis = 0; fits && axis < wanted.Rank; axis++)
            {
                if (!wanted[axis].PerSample) fits = given[axis] == wanted[axis];
                else if (given[axis].HasNames || wanted[axis].HasNames) fits = given[axis] == wanted[axis];
                else if (wanted[axis].Size == 0 || given[axis].Size % wanted[axis].Size != 0) fits = false;
                else
                {
                    var one = new Dim(given[axis].Size / wanted[axis].Size, given[axis].PerSample);
                    fits = (sample ??= one) == one;
                }
            }

            if (!fits) throw new ShapeException($"{Name}: operand {i} is {given}, not {wanted}");
        }

        return sample ?? new Dim(0);
    }

    private static Dim At(Dim dim, Dim sample) =>
        dim.PerSample ? new Dim(checked(dim.Size * sample.Size), sample.PerSample) : dim;

    private static OperatorPackage Checked(
        string name, Graph graph, Graph? gradient, ImmutableArray<OperatorSetting> settings)
    {
        CheckName(name);
        GraphFormatException Wrong(string rule) => new($"operator package {name}: {rule}");
        if (graph.Parameters.Length > 0 || gradient?.Parameters.Length > 0)
            throw Wrong("an operator has no parameters of its own: make them operands");
        if (graph.Outputs.Length == 0) throw Wrong("it has no result");
        var operands = graph.Inputs.Length - settings.Length;
        if (settings.Length > SettingsMax || operands < 0) throw Wrong($"has {settings.Length} settings");
        for (var i = 0; i < settings.Length; i++)
        {
            var (setting, input) = (settings[i], graph.Inputs[operands + i]);
            if (setting.Name.Length is 0 or > NameMax || settings.Take(i).Any(s => s.Name == setting.Name))
                throw Wrong($"setting {i} has no name of its own");
            if (!double.IsFinite(setting.Value)) throw Wrong($"setting {setting.Name} is {setting.Value}, not finite");
            if (input.Type.Rank != 0 || input.Type.DType is not (DType.Float32 or DType.Float64))
                throw Wrong($"setting {setting.Name} is read as {input.Type}, not as one float");
        }

        RequireNames(name, graph, operands, settings.Length, []);
        if (gradient is not null) CheckGradient(name, graph, gradient, operands);
        return new OperatorPackage(name, graph, gradient, settings);
    }

    private static void CheckGradient(string name, Graph graph, Graph gradient, int operands)
    {
        RequireNames(name, gradient, operands, graph.Inputs.Length - operands, ["y0", "d0"]);
        var result = graph.TypeOf(graph.Outputs[0].Value);
        TensorType[] wanted = [.. graph.Inputs.Take(operands).Select(i => i.Type), result, result,
            .. graph.Inputs.Skip(operands).Select(i => i.Type)];
        for (var i = 0; i < wanted.Length; i++)
            if (!gradient.Inputs[i].Type.Equals(wanted[i]))
                throw new GraphFormatException(
                    $"operator package {name}: its gradient reads {gradient.Inputs[i].Name} as {gradient.Inputs[i].Type}, "
                    + $"not {wanted[i]}");
        if (graph.Outputs.Length != 1 || gradient.Outputs.Length != operands)
            throw new GraphFormatException(
                $"operator package {name}: its gradient rule gives {gradient.Outputs.Length} values for {operands} operands");
        for (var i = 0; i < operands; i++)
            if (gradient.TypeOf(gradient.Outputs[i].Value) is var type && !type.Equals(wanted[i]))
                throw new GraphFormatException(
                    $"operator package {name}: the gradient of operand {i} is {type}, not {wanted[i]}");
    }

    private static void RequireNames(string name, Graph graph, int operands, int settings, string[] between)
    {
        List<string> wanted = [.. Enumerable.Range(0, operands).Select(i => $"x{i}"), .. between,
            .. Enumerable.Range(0, settings).Select(i => $"s{i}")];
        if (graph.Inputs.Select(i => i.Name).SequenceEqual(wanted)) return;
        throw new GraphFormatException(
            $"operator package {name}: its inputs are {string.Join(", ", graph.Inputs.Select(i => i.Name))}, "
            + $"not {string.Join(", ", wanted)}");
    }

    private static void CheckName(string name)
    {
        if (name.Length == 0 || Encoding.UTF8.GetByteCount(name) > NameMax || name.Any(char.IsControl))
            throw new GraphFormatException("operator package: its name is empty, too long, or not for reading");
        if (OpTable.Find(name) is not null)
            throw new GraphFormatException(
                $"operator package {name}: an operator of the table has this name; take another");
    }
}
