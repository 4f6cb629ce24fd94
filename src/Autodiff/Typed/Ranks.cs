namespace Convoy.Autodiff.Typed;

/// <summary>A number of dimensions as a type, so that the compiler keeps ranks apart.</summary>
public interface IRank
{
    /// <summary>How many dimensions; -1 for any number.</summary>
    static abstract int Dimensions { get; }
}

/// <summary>No dimensions: a scalar.</summary>
public readonly struct Rank0 : IRank
{
    /// <inheritdoc/>
    public static int Dimensions => 0;
}

/// <summary>One dimension: a vector.</summary>
public readonly struct Rank1 : IRank
{
    /// <inheritdoc/>
    public static int Dimensions => 1;
}

/// <summary>Two dimensions: a matrix.</summary>
public readonly struct Rank2 : IRank
{
    /// <inheritdoc/>
    public static int Dimensions => 2;
}

/// <summary>Three dimensions.</summary>
public readonly struct Rank3 : IRank
{
    /// <inheritdoc/>
    public static int Dimensions => 3;
}

/// <summary>Four dimensions.</summary>
public readonly struct Rank4 : IRank
{
    /// <inheritdoc/>
    public static int Dimensions => 4;
}

/// <summary>Five dimensions.</summary>
public readonly struct Rank5 : IRank
{
    /// <inheritdoc/>
    public static int Dimensions => 5;
}

/// <summary>Six dimensions.</summary>
public readonly struct Rank6 : IRank
{
    /// <inheritdoc/>
    public static int Dimensions => 6;
}

/// <summary>The rank is known when the program runs.</summary>
public readonly struct AnyRank : IRank
{
    /// <inheritdoc/>
    public static int Dimensions => -1;
}
