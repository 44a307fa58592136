namespace TinyLlm.Engine;

/// <summary>
/// Random numbers of one sequence: xoshiro256** started by SplitMix64 (Blackman and Vigna, 2018). The same seed gives the same numbers on
/// every system, whatever else runs in the batch.
/// </summary>
internal sealed class SequenceRandom
{
    private ulong _s0, _s1, _s2, _s3;

    public SequenceRandom(ulong seed)
    {
        _s0 = SplitMix(ref seed);
        _s1 = SplitMix(ref seed);
        _s2 = SplitMix(ref seed);
        _s3 = SplitMix(ref seed);
    }

    /// <summary>At least 0, less than 1, 53 random bits.</summary>
    public double NextDouble()
    {
        ulong result = ulong.RotateLeft(_s1 * 5, 7) * 9, t = _s1 << 17;
        _s2 ^= _s0;
        _s3 ^= _s1;
        _s1 ^= _s2;
        _s0 ^= _s3;
        _s2 ^= t;
        _s3 = ulong.RotateLeft(_s3, 45);
        return (result >> 11) * (1.0 / (1ul << 53));
    }

    private static ulong SplitMix(ref ulong state)
    {
        ulong z = state += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
}
