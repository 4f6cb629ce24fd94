namespace Convoy.Autodiff.Graphs;

/// <summary>Packages by name: from bytes to operators that can be applied, and to variants with other
/// settings.</summary>
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

    /// <summary>The factory: an operator of the package with these settings, the others as its author left
    /// them.</summary>
    /// <exception cref="GraphException">No such package, or no such setting.</exception>
    public OperatorPackage Create(string name, params IReadOnlyList<OperatorSetting> settings) =>
        this[name].With(settings);
}
