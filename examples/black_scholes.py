"""An option's price and its Greeks by derivatives, and the volatility that a price implies, by Newton's method."""

import math

from scipy.stats import norm

import srcgrad as sg


def call(spot: float, strike: float, years: float, rate: float, volatility: float) -> float:
    spread = volatility * math.sqrt(years)
    d1 = (math.log(spot / strike) + (rate + volatility**2 / 2) * years) / spread
    return spot * norm.cdf(d1) - strike * math.exp(-rate * years) * norm.cdf(d1 - spread)


def excess(volatility: float, price: float, spot: float, strike: float, years: float, rate: float) -> float:
    return call(spot, strike, years, rate, volatility) - price


def main() -> None:
    option = 100.0, 105.0, 0.5, 0.03, 0.2
    price = call(*option)
    delta, theta, rho, vega = sg.grad(call, argnums=("spot", "years", "rate", "volatility"))(*option)
    gamma = sg.grad(sg.grad(call))(*option)
    print(
        f"price {price:.6f}, delta {delta:.6f}, gamma {gamma:.6f}, vega {vega:.4f}, theta {-theta:.5f}, rho {rho:.4f}"
    )
    implied = sg.newton(excess, 0.5, (price, *option[:4]))
    print(f"implied volatility {implied.x:.12f} after {implied.nit} steps")


if __name__ == "__main__":
    main()
