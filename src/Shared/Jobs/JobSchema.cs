using static Convoy.Shared.Jobs.JobKeys;

namespace Convoy.Shared.Jobs;

/// <summary>
/// Every key of the job file with type, default, range and meaning: the only place they are stated. The reader's
/// checks, <c>convoy config --keys</c> and docs/job-file.md come from this table.
/// </summary>
public static partial class JobSchema
{
    private static readonly string[] Families = ["mlp", "cnn", "gpt"];
    private static readonly string[] Formats = ["csv", "idx", "npy", "text"];

    public static IReadOnlyList<JobKey> Keys { get; } = [.. Top(), .. Model(), .. Data(), .. Training(), .. Cluster()];

    /// <summary>Groups of keys: "model", "optimizer.schedule".</summary>
    internal static IReadOnlyList<string> Groups { get; } =
        [.. Keys.Where(k => k.Path.Contains('.', StringComparison.Ordinal)).Select(
            k => k.Path[..k.Path.LastIndexOf('.')]).Distinct(StringComparer.Ordinal)];

    private static readonly Dictionary<string, JobKey> ByPath = Keys.ToDictionary(k => k.Path, StringComparer.Ordinal);

    public static JobKey? Find(string path) => ByPath.GetValueOrDefault(path);

    /// <summary>Names that may stand directly in a group ("" is the top of the file).</summary>
    internal static IEnumerable<string> NamesIn(string group) => Keys.Select(k => k.Path).Concat(Groups)
        .Where(path => ParentOf(path) == group).Select(path => path[(path.LastIndexOf('.') + 1)..]);

    private static string ParentOf(string path) => path.LastIndexOf('.') is var dot and >= 0 ? path[..dot] : "";

    private static IEnumerable<JobKey> Top() =>
    [
        Text("job", NameRule, "1 to 64 letters, digits, '.', '_' or '-'", j => j.Job, (j, v) => j with { Job = v },
            "Name of the job; it names logs and checkpoints."),
        new JobKey<ulong>
        {
            Path = "seed", Type = "whole number", Range = $"0 to {ulong.MaxValue}",
            Get = j => j.Seed, Set = (j, v) => j with { Seed = v },
            Parse = JobValues.Seed, Text = v => v.ToString(System.Globalization.CultureInfo.InvariantCulture),
            Doc = "Decides initial weights, sample order and test split; the same seed gives the same bits.",
        },
    ];

    private static IEnumerable<JobKey> Model() =>
    [
        Choice("model.family", Families, [], j => j.Model.Family,
            (j, v) => j with { Model = j.Model with { Family = v } },
            "Which built-in network: fully connected layers, convolutions on images, or a transformer on "
                + "bytes.")
            with { IsRequired = true },
        ForFamily(new JobKey<IReadOnlyList<int>>
        {
            Path = "model.layers", Type = "list of whole numbers", Range = "2 to 64 widths, each 1 to 1048576",
                Parse = JobValues.Ints,
            Text = v => JobValues.PrintList(v.Select(w => JobValues.Print(w))), Rule = LayersRule,
                DefaultInWords = "required",
            Get = j => j.Model.Layers, Set = (j, v) => j with { Model = j.Model with { Layers = v } },
            Doc = "Widths from the features of a sample to the classes.",
        }, "mlp"),
        ForFamily(Choice("model.activation", ["relu", "gelu", "tanh"], [], j => j.Model.Activation,
            (j, v) => j with { Model = j.Model with { Activation = v } }, "Function between layers."), "mlp", "cnn"),
        ForFamily(new JobKey<IReadOnlyList<int>>
        {
            Path = "model.image", Type = "list of whole numbers", Range = "channels, height, width; each 1 to 65536",
                Parse = JobValues.Ints,
            Text = v => JobValues.PrintList(v.Select(w => JobValues.Print(w))), Rule = ImageRule,
                DefaultInWords = "required",
            Get = j => j.Model.Image, Set = (j, v) => j with { Model = j.Model with { Image = v } },
            Doc = "Shape of a sample; channels x height x width are its features.",
        }, "cnn"),
        ForFamily(new JobKey<IReadOnlyList<string>>
        {
            Path = "model.network", Type = "list of words", Range = "conv<channels>, pool, <width>",
                Parse = JobValues.Words,
            Text = JobValues.PrintList, Rule = JobRules.NetworkRule, DefaultInWords = "required",
            Get = j => j.Model.Network, Set = (j, v) => j with { Model = j.Model with { Network = v } },
            Doc = "Layers in order: conv16 is a 3x3 convolution to 16 channels, pool halves height and width, 64 is "
                + "a dense layer; the last is the classes.",
        }, "cnn"),
        ForFamily(Choice("model.norm", ["none", "batch", "layer", "group"], ["sync-batch"], j => j.Model.Norm,
            (j, v) => j with { Model = j.Model with { Norm = v } },
            "Normalization after each convolution; batch takes the statistics of a slice (a micro-batch) in training, "
                + "and running values of whole steps, which lie in checkpoints, for tests; layer takes those of a "
                + "sample, group those of 8 channels of a sample (or as many as divide the channels)."), "cnn"),
        Real("model.dropout", v => v is >= 0 and < 1, "0 to below 1", j => j.Model.Dropout,
            (j, v) => j with { Model = j.Model with { Dropout = v } },
            "Share of elements set to 0 in training: before dense layers (mlp, cnn: all but the first of mlp), and of "
                + "what is added to the residual stream (gpt). Which ones follows from seed, step and sample."),
        Gpt(Int("model.vocabulary", 2, 256, j => j.Model.Vocabulary,
            (j, v) => j with { Model = j.Model with { Vocabulary = v } },
            "Symbols; text is read as bytes, so 256 fits every file.")),
        Gpt(Int("model.context", 1, 65_536, j => j.Model.Context,
            (j, v) => j with { Model = j.Model with { Context = v } },
            "Tokens of one sample.")),
        Gpt(Int("model.width", 1, 65_536, j => j.Model.Width, (j, v) => j with { Model = j.Model with { Width = v } },
            "Width of the residual stream; a multiple of heads.")),
        Gpt(Int("model.depth", 1, 1_024, j => j.Model.Depth, (j, v) => j with { Model = j.Model with { Depth = v } },
            "Number of blocks.")),
        Gpt(Int("model.heads", 1, 1_024, j => j.Model.Heads, (j, v) => j with { Model = j.Model with { Heads = v } },
            "Attention heads of a block.")),
    ];

    private static IEnumerable<JobKey> Data() =>
    [
        Choice("data.format", Formats, [], j => j.Data.Format, (j, v) => j with { Data = j.Data with { Format = v } },
            "How the files are read: CSV with a header, IDX (plain or .gz), NPY, or text as bytes.")
            with { IsRequired = true },
        Paths("data.path", j => j.Data.Path, (j, v) => j with { Data = j.Data with { Path = v } },
            "Training files; relative to the job file if it is there, else to where convoy runs. Text also takes "
                + "folders and patterns such as docs/*.md; "
            + "they leave out hidden names, bin, obj, node_modules and binary files.")
            with { IsRequired = true },
        Paths("data.test_path", j => j.Data.TestPath, (j, v) => j with { Data = j.Data with { TestPath = v } },
            "Test files of the same format.") with { DefaultInWords = "no test set" },
        ForFormat(Paths("data.labels", j => j.Data.Labels, (j, v) => j with { Data = j.Data with { Labels = v } },
            "Files of labels, one for each file of path.") with { DefaultInWords = "required" }, "idx", "npy"),
        ForFormat(Paths("data.test_labels", j => j.Data.TestLabels,
            (j, v) => j with { Data = j.Data with { TestLabels = v } },
            "Files of labels, one for each file of test_path.") with { DefaultInWords = "required with test_path" },
                "idx", "npy"),
        ForFormat(Text("data.label", v => v.Length > 0 ? null : "it is first, last or the name of a column",
            "first, last or a column of the header", j => j.Data.Label,
            (j, v) => j with { Data = j.Data with { Label = v } },
                "Column that has the class, a whole number from 0."), "csv"),
        ForFormat(Real("data.scale", v => v != 0, "any number but 0", j => j.Data.Scale,
            (j, v) => j with { Data = j.Data with { Scale = v } },
            "Features are multiplied by it."), "csv", "idx", "npy"),
        Real("data.test_split", v => v is >= 0 and < 1, "0 to below 1", j => j.Data.TestSplit,
            (j, v) => j with { Data = j.Data with { TestSplit = v } },
            "Share of the samples kept for testing, chosen by the seed; not together with test_path."),
    ];

    private static JobKey ForFamily(JobKey key, params string[] families) => key with
    {
        UsedWhen = $"model.family is {Or(families)}",
        Used = job => families.Contains(job.Model.Family, StringComparer.Ordinal),
    };

    private static JobKey Gpt(JobKey key) => ForFamily(key, "gpt");

    private static JobKey ForFormat(JobKey key, params string[] formats) => key with
    {
        UsedWhen = $"data.format is {Or(formats)}",
        Used = job => formats.Contains(job.Data.Format, StringComparer.Ordinal),
    };

    private static string? NameRule(string name) =>
        name.Length is >= 1 and <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')
            && name[0] is not ('.' or '-')
            ? null : $"'{name}' is not a name; use 1 to 64 letters, digits, '.', '_' or '-', and begin with a letter "
                + "or digit";

    private static string? LayersRule(IReadOnlyList<int> widths) =>
        widths.Count is < 2 or > 64 ? $"{widths.Count} widths; write 2 to 64, such as [64, 128, 10]"
        : widths.Select(w => OutOf(w, 1, 1 << 20)).FirstOrDefault(broken => broken is not null);

    private static string? ImageRule(IReadOnlyList<int> sizes) =>
        sizes.Count != 3 ? $"{sizes.Count} sizes; write channels, height and width, such as [1, 8, 8]"
        : sizes.Select(w => OutOf(w, 1, 65_536)).FirstOrDefault(broken => broken is not null);
}
