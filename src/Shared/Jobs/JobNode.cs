using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Convoy.Shared.Jobs;

internal enum JobNodeKind
{
    Scalar,
    List,
    Map,
}

/// <summary>One value of a job file with the place it was written at.</summary>
internal sealed record JobNode(JobNodeKind Kind, string Location)
{
    public string Text { get; init; } = "";
    /// <summary>Quoted scalars are text even when they look like numbers.</summary>
    public bool IsQuoted { get; init; }
    public IReadOnlyList<JobNode> Items { get; init; } = [];
    public IReadOnlyList<(JobNode Key, JobNode Value)> Entries { get; init; } = [];

    public bool IsEmptyScalar => Kind == JobNodeKind.Scalar && !IsQuoted && Text is "" or "~" or "null";

    public UserException Fail(string key, string ruleAndAdvice) => Fail(Location, key, ruleAndAdvice);

    public static UserException Fail(string location, string key, string ruleAndAdvice) =>
        new(ExitCode.BadJob, key.Length == 0 ? $"{location}: {ruleAndAdvice}" : $"{location}: {key}: {ruleAndAdvice}");

    public string Describe() => Kind switch
    {
        JobNodeKind.List => "a list",
        JobNodeKind.Map => "a group of keys",
        _ when IsQuoted => $"the text \"{Text}\"",
        _ => $"'{Text}'",
    };
}

/// <summary>
/// Reads YAML events into nodes. A job file needs only maps, lists and scalars, so anchors, aliases, tags and further
/// documents are refused: they would let a small file mean something huge or something else.
/// </summary>
internal sealed class JobNodeParser
{
    private const int DepthMax = 16;

    private readonly IParser _parser;
    private readonly Func<Mark, string> _locate;

    private JobNodeParser(string text, Func<Mark, string> locate)
    {
        _parser = new Parser(new StringReader(text));
        _locate = locate;
    }

    /// <summary>The one document of a job file; an empty map when the file has only comments.</summary>
    public static JobNode ParseFile(string text, string file) =>
        Parse(text, mark => $"{file}:{mark.Line}:{mark.Column}");

    /// <summary>The value of an override, as flow YAML: a scalar, <c>[1, 2]</c> or <c>{ a: 1 }</c>.</summary>
    public static JobNode ParseOverride(string value, string location) => Parse(value, _ => location);

    private static JobNode Parse(string text, Func<Mark, string> locate)
    {
        // The scanner takes a zero character for the end of the file and would read half a job.
        if (text.Contains('\0', StringComparison.Ordinal))
            throw JobNode.Fail(locate(new Mark(0, 1, 1)), "",
                "this is not YAML: it holds zero characters; save the job as UTF-8 text");
        var parser = new JobNodeParser(text, locate);
        try
        {
            return parser.Document();
        }
        catch (YamlException e)
        {
            // The parser's own words say what it met; its location prefix is replaced by ours.
            throw JobNode.Fail(locate(e.Start), "",
                $"this is not YAML: {OneLine(e.Message)}; check indentation and quotes");
        }
        catch (InvalidOperationException)
        {
            // The scanner's answer to some broken flow maps; the last good event is the nearest place known.
            throw JobNode.Fail(locate(parser._parser.Current?.End ?? new Mark(0, 1, 1)), "",
                "this is not YAML: a bracket, comma or colon is missing after this place; check { } and [ ]");
        }
    }

    private JobNode Document()
    {
        _parser.Consume<StreamStart>();
        if (_parser.TryConsume<StreamEnd>(out _)) return Empty();
        _parser.Consume<DocumentStart>();
        var root = Node(0);
        _parser.Consume<DocumentEnd>();
        if (!_parser.TryConsume<StreamEnd>(out _))
            throw Refuse(_parser.Current!.Start, "a job file is one YAML document; remove what follows '---' or '...'");
        return root;
    }

    private JobNode Empty() => new(JobNodeKind.Map, _locate(new Mark(0, 1, 1)));

    private JobNode Node(int depth)
    {
        var next = _parser.Current ?? throw Refuse(new Mark(0, 1, 1), "the file ends too early");
        if (depth > DepthMax)
            throw Refuse(next.Start, $"values are nested more than {DepthMax} deep; no key needs that");
        if (next is AnchorAlias) throw Refuse(next.Start, "aliases (*name) are not read here; write the value out");
        if (next is NodeEvent { Anchor.IsEmpty: false })
            throw Refuse(next.Start, "anchors (&name) are not read here; remove it");
        if (next is NodeEvent { Tag.IsEmpty: false } tagged && !tagged.Tag.IsNonSpecific)
            throw Refuse(next.Start, $"tags ({tagged.Tag.Value}) are not read here; remove it");

        var location = _locate(next.Start);
        if (_parser.TryConsume<Scalar>(out var scalar))
            return new JobNode(JobNodeKind.Scalar, location)
            {
                Text = scalar.Value,
                IsQuoted = scalar.Style != ScalarStyle.Plain
            };
        if (_parser.TryConsume<SequenceStart>(out _)) return List(location, depth);
        if (_parser.TryConsume<MappingStart>(out _)) return Map(location, depth);
        throw Refuse(next.Start, "a value is expected here");
    }

    private JobNode List(string location, int depth)
    {
        var items = new List<JobNode>();
        while (!_parser.TryConsume<SequenceEnd>(out _)) items.Add(Node(depth + 1));
        return new JobNode(JobNodeKind.List, location) { Items = items };
    }

    private JobNode Map(string location, int depth)
    {
        var entries = new List<(JobNode, JobNode)>();
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var key = Node(depth + 1);
            if (key.Kind != JobNodeKind.Scalar) throw key.Fail("", "a key is a word; write 'key: value'");
            entries.Add((key, Node(depth + 1)));
        }

        return new JobNode(JobNodeKind.Map, location) { Entries = entries };
    }

    private UserException Refuse(Mark mark, string text) => JobNode.Fail(_locate(mark), "", text);

    private static string OneLine(string message)
    {
        // "(Line: 3, Col: 1, Idx: 9) - (Line: ...): text"
        var text = message.StartsWith('(') && message.IndexOf("): ", StringComparison.Ordinal) is var at and > 0
            ? message[(at + 3)..] : message;
        return text.ReplaceLineEndings(" ").TrimEnd('.', ' ');
    }
}
