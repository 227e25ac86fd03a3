"""Made-up people, addresses and identifiers of India. Nobody is meant; every identifier is well formed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from stdnum import luhn, verhoeff

from models.synthesis.split import Split
from models.synthesis.split import signer as somebody
from pipeline.identifiers import LETTERS


def listed(text: str, sep: str = " ") -> tuple[str, ...]:
    return tuple(text.split(sep))


MEN = listed(
    "Aarav Abhishek Ajay Amit Anand Anil Arjun Ashok Bharat Deepak Dinesh Farhan Ganesh Gaurav Girish Harish Imran"
    " Ishaan Jagdish Joseph Karthik Kishore Lakshman Mahesh Manoj Mohan Mukesh Naveen Nitin Pankaj Prakash Prashant"
    " Rahul Rajesh"
    " Rakesh Ramesh Ravi Rohan Sachin Sandeep Sanjay Satish Shankar Sunil Suresh Tarun Umesh Varun Vijay Vikram Vinod"
    " Yash Zubin"
)
WOMEN = listed(
    "Aditi Aishwarya Anita Anjali Aparna Asha Bhavana Chitra Deepa Divya Fatima Gayatri Geeta Hema Indira Jaya Jyoti"
    " Kajal Kavita Lakshmi Lata Madhuri Mala Mary Meena Meera Nandini Neha Nisha Padma Pallavi Pooja Priya Radha Rekha"
    " Rupa Sadhana"
    " Sangeeta Sarita Savita Seema Shalini Shanti Shobha Sita Sneha Sudha Sunita Swati Uma Usha Vandana Vidya"
    " Yasmin"
)
SURNAMES = listed(
    "Agarwal Ahmed Bajaj Banerjee Bhat Bhatt Bose Chatterjee Chauhan Chavan Chopra Das Desai Deshmukh Deshpande Dutta"
    " Fernandes Gandhi Ganguly Ghosh Goswami Gowda Gupta Hegde Iyengar Iyer Jadhav Jain Joshi Kamath Kapoor Kaur Khan"
    " Khanna Kulkarni Kumar Mahajan Malhotra Mehta Menon Mishra Mukherjee Naidu Nair Narayan Pandey Parekh Patel Patil"
    " Pawar Pillai Prasad Rao Reddy Roy Saxena Sen Shah Sharma Shetty Shinde Singh Sinha Srinivasan Thakur Thomas"
    " Tiwari Trivedi Varma Verma Vyas Yadav"
)
STREETS = listed(
    "M.G. Road, Station Road, Gandhi Nagar, Nehru Marg, Linking Road, Park Street, Ring Road, Temple Street, Lake View"
    " Road, Shivaji Chowk, Rajaji Street, Sardar Patel Road, Hill Road, Church Street, Market Yard",
    sep=", ",
)
UNITS = ("Flat", "House", "No.", "Room")
HOUSES = listed(
    "Shanti Niwas, Sai Krupa, Lakshmi Apartments, Green Park, Ganga Sagar, Silver Oak, Om Residency, Palm Court, Anand"
    " Bhavan, Sea View, Rose Villa, Vrindavan Society",
    sep=", ",
)
#: City, district, state and the first three digits of its PIN codes.
CITIES = (
    ("Mumbai", "Mumbai Suburban", "Maharashtra", "400"),
    ("Pune", "Pune", "Maharashtra", "411"),
    ("Nagpur", "Nagpur", "Maharashtra", "440"),
    ("Ahmedabad", "Ahmedabad", "Gujarat", "380"),
    ("Surat", "Surat", "Gujarat", "395"),
    ("New Delhi", "South Delhi", "Delhi", "110"),
    ("Jaipur", "Jaipur", "Rajasthan", "302"),
    ("Lucknow", "Lucknow", "Uttar Pradesh", "226"),
    ("Kolkata", "Kolkata", "West Bengal", "700"),
    ("Chennai", "Chennai", "Tamil Nadu", "600"),
    ("Madurai", "Madurai", "Tamil Nadu", "625"),
    ("Bengaluru", "Bengaluru Urban", "Karnataka", "560"),
    ("Mysuru", "Mysuru", "Karnataka", "570"),
    ("Hyderabad", "Hyderabad", "Telangana", "500"),
    ("Kochi", "Ernakulam", "Kerala", "682"),
    ("Bhopal", "Bhopal", "Madhya Pradesh", "462"),
    ("Indore", "Indore", "Madhya Pradesh", "452"),
    ("Patna", "Patna", "Bihar", "800"),
    ("Chandigarh", "Chandigarh", "Punjab", "160"),
)
COMPANIES = listed(
    "Himalaya Cement, Konkan Steel, Deccan Textiles, Malabar Spices, Ganga Paper Mills, Sahyadri Motors, Vindhya Power,"
    " Coromandel Foods, Aravali Granite, Nilgiri Tea, Narmada Chemicals, Kaveri Sugar, Godavari Pumps, Sutlej Tyres",
    sep=", ",
)
PARTICIPANTS = listed(
    "Sunrise Securities Ltd, Indus Stock Broking Pvt Ltd, Meridian Depository Services, Lotus Capital Markets Ltd,"
    " Banyan Share Registry Ltd, Peninsula Securities Pvt Ltd",
    sep=", ",
)
BANKS = listed(
    "Deccan Bank, Bharat Cooperative Bank, Coastal Bank of India, Hind Gramin Bank, Metropolitan Bank", sep=", "
)
DESIGNATIONS = listed(
    "Branch Manager, Assistant Manager, Senior Officer, Operations Executive, Deputy Manager, Compliance Officer",
    sep=", ",
)


@dataclass(frozen=True, slots=True)
class Person:
    given: str
    surname: str
    woman: bool
    born: date
    signer: int

    @property
    def name(self) -> str:
        return f"{self.given} {self.surname}"


@dataclass(frozen=True, slots=True)
class Address:
    first: str
    second: str
    city: str
    district: str
    state: str
    pin: str


def pick(rng: np.random.Generator, choices: tuple[str, ...]) -> str:
    return choices[int(rng.integers(len(choices)))]


def person(rng: np.random.Generator, on: date, split: Split, surname: str | None = None) -> Person:
    """A grown-up on that day, who signs as somebody of the split."""
    woman = bool(rng.random() < 0.5)
    born = date(on.year - int(rng.integers(20, 80)), int(rng.integers(1, 13)), int(rng.integers(1, 29)))
    given = pick(rng, WOMEN if woman else MEN)
    return Person(given, surname or pick(rng, SURNAMES), woman, born, somebody(rng, split))


def address(rng: np.random.Generator) -> Address:
    city, district, state, start = CITIES[int(rng.integers(len(CITIES)))]
    first = f"{pick(rng, UNITS)} {rng.integers(1, 500)}, {pick(rng, HOUSES)}"
    return Address(first, pick(rng, STREETS), city, district, state, start + digits(rng, 3))


def digits(rng: np.random.Generator, count: int) -> str:
    return "".join(map(str, rng.integers(0, 10, count)))


def letters(rng: np.random.Generator, count: int) -> str:
    return "".join(LETTERS[place] for place in rng.integers(0, 26, count))


def pan(rng: np.random.Generator, surname: str) -> str:
    """A person's PAN: the fourth letter P, the fifth the surname's first."""
    return f"{letters(rng, 3)}P{surname[0].upper()}{rng.integers(1, 10000):04d}{letters(rng, 1)}"


def isin(rng: np.random.Generator) -> str:
    """An Indian ISIN of a share, with its check digit."""
    start = f"INE{digits(rng, 3)}{letters(rng, 1)}0{int(rng.integers(1, 5))}0{rng.integers(10, 40)}"[:11]
    return start + str(luhn.calc_check_digit("".join(str(int(one, 36)) for one in start)))


def bo_id(rng: np.random.Generator) -> str:
    """A demat account: mostly sixteen digits, sometimes the other depository's `IN` and fourteen."""
    return f"IN30{digits(rng, 12)}" if rng.random() < 0.15 else f"120{digits(rng, 13)}"


def ifsc(rng: np.random.Generator) -> str:
    return f"{letters(rng, 4)}0{digits(rng, 6)}"


def aadhaar(rng: np.random.Generator) -> str:
    """Twelve digits with a Verhoeff check digit, the first neither 0 nor 1."""
    start = str(rng.integers(2, 10)) + digits(rng, 10)
    return start + str(verhoeff.calc_check_digit(start))


def grouped(number: int) -> str:
    """Figures as India groups them: 12,34,567."""
    text = str(number)
    head, tail = text[:-3], text[-3:]
    parts = [head[max(0, end - 2) : end] for end in range(len(head), 0, -2)][::-1]
    return ",".join([*parts, tail])


_ONES = listed(
    "Zero One Two Three Four Five Six Seven Eight Nine Ten Eleven Twelve Thirteen Fourteen Fifteen Sixteen Seventeen"
    " Eighteen Nineteen"
)
_TENS = listed("Zero Ten Twenty Thirty Forty Fifty Sixty Seventy Eighty Ninety")


def worded(number: int) -> str:
    """A number in words, with lakh and crore: `Two Lakh Five Thousand`."""
    for name, scale in (("Crore", 10_000_000), ("Lakh", 100_000), ("Thousand", 1_000), ("Hundred", 100)):
        if number >= scale:
            rest = f" {worded(number % scale)}" if number % scale else ""
            return f"{worded(number // scale)} {name}{rest}"
    if number < 20:
        return _ONES[number]
    return _TENS[number // 10] + (f" {_ONES[number % 10]}" if number % 10 else "")
