namespace Convoy.Autodiff.Typed;

/// <summary>A number of dimensions as a type, so that the compiler keeps ranks apart.</summary>
public interface IRank
{
    /// <summary>-1: any.</summary>
    static abstract int Dimensions { get; }
}

public readonly struct Rank0 : IRank { public static int Dimensions => 0; }

public readonly struct Rank1 : IRank { public static int Dimensions => 1; }

public readonly struct Rank2 : IRank { public static int Dimensions => 2; }

public readonly struct Rank3 : IRank { public static int Dimensions => 3; }

public readonly struct Rank4 : IRank { public static int Dimensions => 4; }

public readonly struct Rank5 : IRank { public static int Dimensions => 5; }

public readonly struct Rank6 : IRank { public static int Dimensions => 6; }

/// <summary>The rank is known when the program runs.</summary>
public readonly struct AnyRank : IRank { public static int Dimensions => -1; }
