namespace TinyLlm.Grains.Tests.Simulation;

/// <summary>
/// Models of mixed sizes, and requests for them by Zipf's law. With drift, each phase gives the popular ranks to other models. Seeded.
/// </summary>
internal sealed class ModelTraffic
{
    // Sizes of real tiny models in f32: a megabyte to two gigabytes, evenly in the logarithm.
    private const double SmallestBytes = 1 << 20, LargestBytes = 2L << 30;

    private readonly Random _random;
    private readonly double[] _cumulative;
    private int[] _modelOfRank;

    public ModelTraffic(int models, double exponent, int seed)
    {
        _random = new Random(seed);
        Bytes = [.. Enumerable.Range(0, models).Select(_ => (long)(SmallestBytes * Math.Pow(LargestBytes / SmallestBytes, _random.NextDouble())))];
        _cumulative = new double[models];
        double sum = 0;
        for (int rank = 0; rank < models; rank++) _cumulative[rank] = sum += 1 / Math.Pow(rank + 1, exponent);
        for (int rank = 0; rank < models; rank++) _cumulative[rank] /= sum;
        _modelOfRank = [.. Enumerable.Range(0, models)];
        _random.Shuffle(_modelOfRank);
    }

    public long[] Bytes { get; }

    /// <summary>The next request's model.</summary>
    public int Next()
    {
        int rank = Array.BinarySearch(_cumulative, _random.NextDouble());
        return _modelOfRank[Math.Min(rank < 0 ? ~rank : rank, _cumulative.Length - 1)];
    }

    /// <summary>How probable a request for each model is now.</summary>
    public double[] Popularity()
    {
        double[] popularity = new double[Bytes.Length];
        for (int rank = 0; rank < popularity.Length; rank++) popularity[_modelOfRank[rank]] = _cumulative[rank] - (rank == 0 ? 0 : _cumulative[rank - 1]);
        return popularity;
    }

    /// <summary>A new phase: a fifth of the models change ranks among each other.</summary>
    public void Drift()
    {
        int[] ranks = [.. Enumerable.Range(0, _modelOfRank.Length).Where(_ => _random.Next(5) == 0)];
        int[] models = [.. ranks.Select(rank => _modelOfRank[rank])];
        _random.Shuffle(models);
        for (int i = 0; i < ranks.Length; i++) _modelOfRank[ranks[i]] = models[i];
    }
}
